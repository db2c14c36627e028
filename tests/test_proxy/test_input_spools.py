"""Spools in the state directory: space, errors of the disk, and what remains."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from providers.fair_shares import SHARE_USER, ShareUser
from providers.spool import Spool
from providers.state import StateError
from proxy.input_spools import InputSpools
from proxy.threads import SLICE_BYTES


async def content(spool: Spool) -> bytes:
    return b"".join([piece async for piece in spool.read()])


async def test_a_spool_is_read_as_it_was_written(tmp_path: Path) -> None:
    pieces = [b"a", b"b" * (SLICE_BYTES + 1), b"c"]
    async with InputSpools(tmp_path).open() as spool:
        for piece in pieces:
            assert await spool.write(piece)
        assert await content(spool) == b"".join(pieces)
        assert await content(spool) == b"".join(pieces)


async def test_a_spool_has_no_name_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    modes: list[int] = []
    pwrite = os.pwrite

    def watched(file: int, piece: bytes, start: int) -> int:
        modes.append(os.fstat(file).st_mode & 0o777)
        return pwrite(file, piece, start)

    folder = tmp_path / "new"
    async with InputSpools(folder).open() as spool:
        with patch("os.pwrite", watched):
            assert await spool.write(b"secret")
        assert list(folder.iterdir()) == []
    assert modes == [0o600]


async def test_nothing_is_opened_before_the_first_write(tmp_path: Path) -> None:
    async with InputSpools(tmp_path / "new").open() as spool:
        assert await content(spool) == b""
        await spool.clear()
    assert list(tmp_path.iterdir()) == []


async def test_what_is_cleared_is_replaced(tmp_path: Path) -> None:
    async with InputSpools(tmp_path, 5).open() as spool:
        assert await spool.write(b"first")
        await spool.clear()
        assert await spool.write(b"next")
        assert await content(spool) == b"next"


async def test_spools_share_their_space(tmp_path: Path) -> None:
    spools = InputSpools(tmp_path, 10)
    async with spools.open() as one, spools.open() as other:
        assert await one.write(b"12345")
        assert not await other.write(b"123456")
        assert await other.write(b"12345")
        assert (await content(one), await content(other)) == (b"12345", b"12345")
        await one.clear()
        assert await other.write(b"67890")
    async with spools.open() as spool:
        assert await spool.write(b"1234567890")


async def test_a_tenant_leaves_space_for_others(tmp_path: Path) -> None:
    spools, written = InputSpools(tmp_path, 100), 0
    async with AsyncExitStack() as stack:
        for _ in range(10):
            SHARE_USER.set(ShareUser("tenant"))
            spool = await stack.enter_async_context(spools.open())
            written += await spool.write(b"x" * 10)
        assert 1 < written < 10
        SHARE_USER.set(ShareUser("other"))
        async with spools.open() as spool:
            assert await spool.write(b"x" * 10)


@pytest.fixture(params=[errno.ENOSPC, errno.EROFS, errno.EIO, errno.EOPNOTSUPP])
def failing_disk(request: pytest.FixtureRequest) -> Iterator[None]:
    error = OSError(request.param, os.strerror(request.param))
    with patch("os.pwrite", side_effect=error):
        yield


@pytest.mark.usefixtures("failing_disk")
async def test_a_disk_that_fails_has_no_space(tmp_path: Path) -> None:
    spools = InputSpools(tmp_path, 10)
    async with spools.open() as spool:
        assert not await spool.write(b"1234567890")
    async with spools.open() as spool:
        assert not await spool.write(b"1234567890")


async def test_what_was_written_before_the_disk_was_full_can_be_read(tmp_path: Path) -> None:
    spools = InputSpools(tmp_path, 10)
    async with spools.open() as spool:
        assert await spool.write(b"12345")
        with patch("os.pwrite", side_effect=OSError(errno.ENOSPC, "full")):
            assert not await spool.write(b"67890")
        assert await content(spool) == b"12345"
        assert not await spool.write(b"6")
    async with spools.open() as spool:
        assert await spool.write(b"1234567890")


async def test_a_directory_that_cannot_be_made_has_no_space(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    async with InputSpools(tmp_path / "file" / "folder").open() as spool:
        assert not await spool.write(b"piece")


async def test_an_unreadable_spool_is_an_error_of_the_store(tmp_path: Path) -> None:
    async with InputSpools(tmp_path).open() as spool:
        assert await spool.write(b"piece")
        with patch("os.pread", side_effect=OSError(errno.EIO, "broken")):
            with pytest.raises(StateError):
                await content(spool)
        with patch("os.pread", return_value=b""), pytest.raises(StateError):
            await content(spool)


async def test_a_partly_written_piece_is_written_to_its_end(tmp_path: Path) -> None:
    pwrite = os.pwrite
    with patch("os.pwrite", lambda file, piece, start: pwrite(file, piece[:2], start)):
        async with InputSpools(tmp_path).open() as spool:
            assert await spool.write(b"12345")
            assert await content(spool) == b"12345"


async def test_a_disk_that_hangs_has_no_space(tmp_path: Path) -> None:
    """The call that hangs may still write, so nothing else is written to this file."""
    pwrite, answer, answered = os.pwrite, threading.Event(), threading.Event()

    def hanging(file: int, piece: bytes, start: int) -> int:
        answer.wait()
        written = pwrite(file, piece, start)
        answered.set()
        return written

    with patch("os.pwrite", hanging):
        async with InputSpools(tmp_path, seconds=0.05).open() as spool:
            assert not await spool.write(b"late")
            assert not await spool.write(b"later")
            assert await content(spool) == b""
    answer.set()
    assert await asyncio.to_thread(answered.wait, 10)
