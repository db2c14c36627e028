"""Everything that a fake stores as one JSON document, to restore it in another run.

GET  /_fake/snapshot   everything, with every id and time
POST /_fake/snapshot   add such a document to what the fake stores

Contents are deflated, in base64 and whole in memory: use this for small stores only.
"""

import base64
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from .blob import Blob, BlobStore
from .control import answering_errors

MOST_BYTES = 64 * 1024 * 1024


class SnapshotSource(Protocol):
    """A fake's store as a document. `origin` is the address of the fake that restores one."""

    def snapshot(self) -> dict[str, Any]: ...
    def put(self, snapshot: dict[str, Any], origin: str) -> None: ...


class Numbered(Protocol):
    """A store that derives its ids from the number of ids already given out."""

    made: int


@dataclass(frozen=True)
class Section:
    """The objects of one kind: how one is written, and how it is stored again."""

    stored: Mapping[str, Any]
    written: Callable[[Any], dict[str, Any]]
    put: Callable[[dict[str, Any]], None]


class NumberedSnapshot:
    """A numbered store as a document: `made`, and a list for each section."""

    def __init__(self, store: Numbered, sections: Mapping[str, Section]) -> None:
        self._store = store
        self._sections = sections

    def snapshot(self) -> dict[str, Any]:
        lists = {
            name: [section.written(each) for each in section.stored.values()]
            for name, section in self._sections.items()
        }
        return {"made": self._store.made, **lists}

    def put(self, snapshot: dict[str, Any], origin: str) -> None:
        self._store.made = max(self._store.made, snapshot["made"])
        for name, section in self._sections.items():
            for each in snapshot[name]:
                section.put(each)


# Not typed at run time: an application key needs a class, not a protocol.
SNAPSHOT_SOURCE: web.AppKey[SnapshotSource] = web.AppKey("source")


def install_snapshot(app: web.Application, source: SnapshotSource) -> None:
    app[SNAPSHOT_SOURCE] = source

    async def show(_: web.Request) -> web.Response:
        return web.json_response(source.snapshot())

    async def put(request: web.Request) -> web.Response:
        source.put(await request.json(), str(request.url.origin()))
        return web.json_response({})

    app.router.add_get("/_fake/snapshot", answering_errors(show))
    app.router.add_post("/_fake/snapshot", answering_errors(put))


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def packed_blob(blob: Blob) -> str:
    return packed(b"".join(blob.pieces()))


def unpacked(text: str) -> bytes:
    inflating = zlib.decompressobj()
    content = inflating.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
    if not inflating.eof:
        raise ValueError(f"a content is cut off, or has more than {MOST_BYTES} bytes")
    return content


def unpacked_blob(blobs: BlobStore, text: str) -> Blob:
    with blobs.writing() as writer:
        writer.write(unpacked(text))
        return writer.finish()
