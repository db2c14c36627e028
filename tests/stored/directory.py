"""A recorded directory: written from a running installation, and restored."""

import gzip
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.batch_client import Document
from tests.end_to_end.fake_client import FakeClient

HELD_BY: Final = ("gemini", "openai", "anthropic", "bedrock")
_LARGE_BYTES: Final = 8 << 10
_COMPRESSED: Final = ".gz"
# Drafts, which have no name in the store yet.
_DRAFTS: Final = ".tmp"


@dataclass(frozen=True)
class RecordedDirectory:
    path: Path

    @property
    def _upstreams(self) -> Path:
        return self.path / f"upstreams.json{_COMPRESSED}"

    @property
    def _clients(self) -> Path:
        return self.path / "clients.json"

    def clients(self) -> Document:
        document: Document = json.loads(self._clients.read_text())
        return document

    # --- writing ---------------------------------------------------------------------------------

    async def write(self, state: Path, fakes: Mapping[str, FakeClient], clients: Document) -> None:
        """Write a new directory; one of this name must not exist."""
        self.path.mkdir(parents=True)
        for source in sorted(path for path in state.rglob("*") if path.is_file()):
            name = source.relative_to(state)
            if name.parts[0] != _DRAFTS:
                _keep(source, self.path / "state" / name)
        held: Document = {name: await fakes[name].snapshot() for name in HELD_BY}
        self._upstreams.write_bytes(_compress(json.dumps(held).encode()))
        self._clients.write_text(json.dumps(clients, indent=1) + "\n")

    # --- restoring -------------------------------------------------------------------------------

    def copy_state(self, target: Path) -> None:
        """Copy the state directory for a proxy."""
        stored = self.path / "state"
        for source in sorted(path for path in stored.rglob("*") if path.is_file()):
            copy = target / source.relative_to(stored)
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if source.suffix == _COMPRESSED:
                copy.with_suffix("").write_bytes(gzip.decompress(source.read_bytes()))
            else:
                shutil.copyfile(source, copy)

    async def restore(self, fakes: Mapping[str, FakeClient]) -> None:
        """Replace what the upstreams store by what was recorded."""
        held = json.loads(gzip.decompress(self._upstreams.read_bytes()))
        for name in HELD_BY:
            await fakes[name].reset()
            await fakes[name].put_snapshot(held[name])


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    if len(content) > _LARGE_BYTES:
        target.with_name(target.name + _COMPRESSED).write_bytes(_compress(content))
    else:
        target.write_bytes(content)


def _compress(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
