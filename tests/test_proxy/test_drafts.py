"""Drafts of dead processes are removed at once, those of living ones never."""

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from providers.state import write
from proxy.drafts import LEFTOVER_SECONDS, Draft, drafts_of
from proxy.state_directory import DirectoryState

WRITER = """
import sys
from pathlib import Path
from proxy.drafts import Draft
draft = Draft(Path(sys.argv[1]))
draft.append(b"half")
print("writing", flush=True)
sys.stdin.read()
print(draft.publish(Path(sys.argv[2])))
draft.discard()
"""


@asynccontextmanager
async def writer(root: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process, which has written half of an object."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WRITER,
        str(drafts_of(root)),
        str(root / "theirs="),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"writing\n"
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


def drafts(root: Path) -> list[Path]:
    return list(drafts_of(root).iterdir())


async def test_a_draft_of_a_living_process_is_never_removed(tmp_path: Path) -> None:
    """However old it is, and whatever the clock says."""
    async with writer(tmp_path) as process:
        (draft,) = drafts(tmp_path)
        os.utime(draft, (0, 0))
        await DirectoryState(tmp_path).remove_leftovers()
        assert drafts(tmp_path) == [draft]
        output, _ = await process.communicate(b"")
    assert output == b"True\n"
    assert (tmp_path / "theirs=").read_bytes() == b"half"
    assert drafts(tmp_path) == []


async def test_a_draft_of_a_killed_process_is_removed_at_once(tmp_path: Path) -> None:
    async with writer(tmp_path) as process, writer(tmp_path):
        assert len(drafts(tmp_path)) == 2
        process.kill()
        await process.wait()
        await DirectoryState(tmp_path).remove_leftovers()
        assert len(drafts(tmp_path)) == 1


async def test_a_draft_of_this_process_is_never_removed(tmp_path: Path) -> None:
    draft = Draft(drafts_of(tmp_path))
    draft.append(b"half")
    await DirectoryState(tmp_path).remove_leftovers()
    assert draft.publish(tmp_path / "mine=")
    draft.discard()
    assert drafts(tmp_path) == []


async def test_only_old_drafts_without_a_lock_are_removed(tmp_path: Path) -> None:
    """Those of an earlier version, whose process may live."""
    await write(DirectoryState(tmp_path), "a", b"x")
    old, young = drafts_of(tmp_path) / "old", drafts_of(tmp_path) / "young"
    for draft in (old, young):
        draft.write_bytes(b"half")
    long_ago = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    state = DirectoryState(tmp_path)
    await state.remove_leftovers()
    assert drafts(tmp_path) == [young]
    assert [info.name async for info in state.list("")] == ["a"]


async def test_without_locks_drafts_are_removed_by_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("this file system has no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    state = DirectoryState(tmp_path)
    draft = Draft(drafts_of(tmp_path))
    draft.append(b"half")
    (drafts_of(tmp_path) / "of-another.locked").write_bytes(b"half")
    await state.remove_leftovers()
    assert len(drafts(tmp_path)) == 2
    assert draft.publish(tmp_path / "mine=")
    draft.discard()


def test_a_step_after_the_end_leaves_nothing(tmp_path: Path) -> None:
    """At the end of a program, a step can begin in its thread after the draft was discarded."""
    draft = Draft(drafts_of(tmp_path))
    draft.discard()
    draft.append(b"late")
    assert not draft.publish(tmp_path / "object=")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
