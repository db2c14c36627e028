"""What is specific to a directory; the rest is in `tests/contract/test_state.py`."""

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from providers.body import close, read_up_to
from providers.state import State, read, write
from proxy import state_directory
from proxy.state_directory import DirectoryState
from proxy.threads import in_thread


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_only_this_user_may_read(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "state"
    await write(DirectoryState(root), "a/b/c", b"secret")
    for path in [root, *root.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected


async def test_a_create_leaves_no_draft(tmp_path: Path) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a", b"1")
    await write(state, "a", b"2")
    assert len(files(tmp_path)) == 1


async def test_a_delete_leaves_no_empty_directory(tmp_path: Path) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a/b/c/d", b"")
    await write(state, "a/x", b"")
    await state.delete("a/b/c/d")
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"x="}


async def test_a_list_asks_the_disk_only_about_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the pages of a list would cost the square of their number."""
    state = DirectoryState(tmp_path)
    for number in range(20):
        await write(state, f"owned/x/{number:02}", b"")
        await write(state, f"owned/x/{number:02}/deeper", b"")
    asked: list[str] = []
    info, entries = state_directory._info, state_directory._entries

    def counted_info(name: str, path: Path) -> Any:
        asked.append(name)
        return info(name, path)

    def counted_entries(directory: Path) -> Any:
        asked.append(directory.name)
        return entries(directory)

    monkeypatch.setattr(state_directory, "_info", counted_info)
    monkeypatch.setattr(state_directory, "_entries", counted_entries)
    listed = [found.name async for found in state.list("owned/x/", "owned/x/18")]
    assert listed == ["owned/x/18/deeper", "owned/x/19", "owned/x/19/deeper"]
    assert asked == ["x", "18", "owned/x/18/deeper", "owned/x/19", "19", "owned/x/19/deeper"]


async def test_creates_and_deletes_in_one_directory_do_not_trip(tmp_path: Path) -> None:
    """Each delete removes the directory that the next create is about to use."""
    mine, theirs = DirectoryState(tmp_path), DirectoryState(tmp_path)

    async def come_and_go(state: State, name: str) -> None:
        for _ in range(100):
            assert await write(state, name, b"x")
            await state.delete(name)

    await asyncio.gather(come_and_go(mine, "a/b/c/one"), come_and_go(theirs, "a/b/c/two"))
    assert files(tmp_path) == []


async def test_a_directory_that_vanishes_before_the_link_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link
    vanished: list[Path] = []

    def link_late(draft: Path, path: Path) -> None:
        if not vanished:
            path.parent.rmdir()
            vanished.append(path.parent)
        link(draft, path)

    monkeypatch.setattr("proxy.drafts.os.link", link_late)
    state = DirectoryState(tmp_path)
    assert await write(state, "a/b", b"x")
    assert await read(state, "a/b") == b"x"
    assert vanished == [tmp_path / "a"]


async def test_another_process_sees_the_same(tmp_path: Path) -> None:
    await write(DirectoryState(tmp_path), "a", b"x")
    assert await read(DirectoryState(tmp_path), "a") == b"x"


@pytest.mark.parametrize("size", [0, 1, 1 << 20])
async def test_an_object_deleted_before_it_was_read_is_read(tmp_path: Path, size: int) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a", b"x" * size)
    body = await state.get("a")
    assert body is not None
    await state.delete("a")
    assert await read_up_to(body.chunks, size) == b"x" * size


async def test_an_object_that_is_not_read_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, opened = DirectoryState(tmp_path), []
    await write(state, "a", b"x" * (1 << 20))

    def open_it(path: Path, _: str) -> FileIO:
        opened.append(FileIO(path))
        return opened[-1]

    monkeypatch.setattr(Path, "open", open_it)
    body = await state.get("a")
    assert body is not None
    assert [file.closed for file in opened] == [False]
    await close(body)
    assert [file.closed for file in opened] == [True]


async def test_a_small_object_is_read_with_one_call_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call costs a switch of threads, and a list of files reads an object for each."""
    state, calls = DirectoryState(tmp_path), []
    await write(state, "a", b"x")

    async def counted(function: Callable[..., Any], *arguments: object) -> Any:
        calls.append(function)
        return await in_thread(function, *arguments)

    monkeypatch.setattr(state_directory, "in_thread", counted)
    assert await read(state, "a") == b"x"
    assert await read(state, "b") is None
    assert len(calls) == 2


async def test_an_object_deleted_during_a_read_is_read_to_its_end(tmp_path: Path) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a", b"x" * (1 << 20))
    body = await state.get("a")
    assert body is not None
    size = 0
    async for chunk in body.chunks:
        size += len(chunk)
        await state.delete("a")
    assert size == 1 << 20


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["..", "../", "/etc", "a/../b", "a//", "A"])
async def test_a_prefix_does_not_leave_the_directory(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ValueError, match="name"):
        await anext(DirectoryState(tmp_path).list(prefix))


NAMES = st.lists(st.sampled_from(["a", "b", "a-b", "a.b", "a0"]), min_size=1, max_size=3).map(
    "/".join
)


class LikeADict(RuleBasedStateMachine):
    """After any sequence of operations, the directory has the same content as a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        self._state = DirectoryState(Path(self._directory.name))
        self._model: dict[str, bytes] = {}

    def teardown(self) -> None:
        self._directory.cleanup()

    @rule(name=NAMES, data=st.binary(max_size=4))
    def create(self, name: str, data: bytes) -> None:
        assert asyncio.run(write(self._state, name, data)) == (name not in self._model)
        self._model.setdefault(name, data)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        asyncio.run(self._state.delete(name))
        self._model.pop(name, None)

    @rule(name=NAMES)
    def get(self, name: str) -> None:
        assert asyncio.run(read(self._state, name)) == self._model.get(name)

    @rule(prefix=NAMES | st.just(""))
    def list_by_prefix(self, prefix: str) -> None:
        expected = sorted(name for name in self._model if name.startswith(prefix))
        assert asyncio.run(self._listed(prefix)) == expected

    @invariant()
    def no_draft_is_left(self) -> None:
        assert list(Path(self._directory.name).glob(".tmp/*")) == []

    async def _listed(self, prefix: str) -> list[str]:
        return [info.name async for info in self._state.list(prefix)]


LikeADict.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
test_like_a_dict = LikeADict.TestCase


async def test_a_file_that_opens_after_its_reader_has_gone_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a", b"x")
    opening, may_open, closed = threading.Event(), threading.Event(), threading.Event()

    class OpenedLate(FileIO):
        def close(self) -> None:
            super().close()
            closed.set()

    def open_late(path: Path, mode: str) -> FileIO:
        opening.set()
        may_open.wait()
        return OpenedLate(path)

    monkeypatch.setattr(Path, "open", open_late)
    reading = asyncio.create_task(read(state, "a"))
    assert await asyncio.to_thread(opening.wait, 10)
    while not reading.done():
        reading.cancel()
        await asyncio.sleep(0)
    assert not closed.is_set()
    may_open.set()
    assert await asyncio.to_thread(closed.wait, 10)


async def test_a_small_object_is_written_with_one_call_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call costs a switch of threads, and OpenAI's parts have a record each."""
    state, calls = DirectoryState(tmp_path), []

    async def counted(function: Callable[..., Any], *arguments: object) -> Any:
        calls.append(function)
        return await in_thread(function, *arguments)

    monkeypatch.setattr(state_directory, "in_thread", counted)
    monkeypatch.setattr(state_directory, "surely_in_thread", counted)
    assert await write(state, "a", b"x")
    assert not await write(state, "a", b"y")
    assert len(calls) == 2
    assert await read(state, "a") == b"x"
