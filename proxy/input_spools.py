"""Spools in files of the state directory that have no name, so they end with the process.

They share a number of bytes, in fair shares. Each call of the disk has a deadline.
"""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from providers.errors import FerryError
from providers.fair_shares import FairShares
from providers.spool import Spool
from providers.state import StateError
from proxy.bounded_state import STALL_SECONDS, Wait
from proxy.drafts import make_directory
from proxy.threads import SLICE_BYTES, in_thread, surely_in_thread

SPOOLED_BYTES: Final = 1 << 30


class InputSpools:
    def __init__(
        self, directory: Path, size: int = SPOOLED_BYTES, seconds: float = STALL_SECONDS
    ) -> None:
        self._directory = directory
        self._space = FairShares(size, "the space for spools")
        self._seconds = seconds

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Spool]:
        spool = _FileSpool(self._directory, self._space, self._seconds)
        try:
            yield spool
        finally:
            await spool.close()


class _FileSpool:
    """Implements `providers.spool.Spool`."""

    def __init__(self, directory: Path, space: FairShares, seconds: float) -> None:
        self._file = _UnnamedFile(directory)
        self._space = space
        self._account = space.account()
        self._seconds = seconds
        self._length = 0
        self._failed = False

    async def write(self, piece: bytes, /) -> bool:
        if self._failed:
            return False  # what failed may still be written, after its deadline
        try:
            self._space.take(len(piece), self._account)
        except FerryError:
            return False
        try:
            append = in_thread(self._file.write, piece, self._length)
            await Wait(self._seconds).for_(append)
        except BaseException as error:
            self._space.give_back(len(piece), self._account)
            self._failed = True
            if isinstance(error, StateError):
                return False
            raise
        self._length += len(piece)
        return True

    async def read(self) -> AsyncIterator[bytes]:
        for start in range(0, self._length, SLICE_BYTES):
            size = min(SLICE_BYTES, self._length - start)
            yield await Wait(self._seconds).for_(in_thread(self._file.read, size, start))

    async def clear(self) -> None:
        with suppress(StateError):  # then the disk has less space until this spool is closed
            await Wait(self._seconds).for_(in_thread(self._file.empty))
        self._forget()

    async def close(self) -> None:
        self._forget()
        with suppress(StateError):  # a disk that hangs keeps it until the process ends
            await Wait(self._seconds).for_(surely_in_thread(self._file.close))

    def _forget(self) -> None:
        self._space.give_back(self._length, self._account)
        self._length = 0


class _UnnamedFile:
    """Created by its first write. Everything here blocks. Raises OSError.

    A call that hangs is left running, so `close` waits for it: else it could continue on another
    file with the same descriptor.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._closed = False
        self._step = threading.Lock()

    def write(self, piece: bytes, start: int) -> None:
        with self._step:
            if self._closed:
                return
            if self._file is None:
                make_directory(self._directory)
                self._file = TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 - `close` closes it
            left = memoryview(piece)
            while left:
                written = os.pwrite(self._file.fileno(), left, start)
                left, start = left[written:], start + written

    def read(self, size: int, start: int) -> bytes:
        with self._step:
            if self._file is None or self._closed:
                raise OSError("the file is closed")
            piece = os.pread(self._file.fileno(), size, start)
            if len(piece) != size:
                raise OSError("a file became shorter")
            return piece

    def empty(self) -> None:
        with self._step:
            if self._file is not None and not self._closed:
                self._file.truncate(0)

    def close(self) -> None:
        with self._step:
            self._closed = True
            if self._file is not None:
                self._file.close()
