"""A disk that fails: the calls of the program's disk threads raise OSError when a test says so."""

import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import pytest

ERRORS = tuple(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE", "EACCES", "ESTALE")
)
TEMPORARY = frozenset(ERRORS) - {errno.EROFS, errno.EACCES}

_CALLS = (
    "open",
    "close",
    "link",
    "rename",
    "fsync",
    "mkdir",
    "stat",
    "unlink",
    "rmdir",
    "listdir",
    "scandir",
    "utime",
)


@dataclass
class FaultyDisk:
    """`fail(at, error)` makes the call number `at` from now on fail; `failed` says which it was.

    With `at` 0, every call fails, or every one called `only`.
    """

    error: int = errno.EIO
    at: int | None = None
    calls: list[str] = field(default_factory=list)
    failed: str = ""
    only: str = ""

    def fail(self, at: int, error: int, only: str = "") -> None:
        self.calls.clear()
        self.at, self.error, self.only, self.failed = at, error, only, ""

    def heal(self) -> None:
        self.at = None

    def check(self, name: str) -> None:
        if threading.current_thread().name.startswith("disk"):
            self.count(name)

    def count(self, name: str) -> None:
        self.calls.append(name)
        if self.at in (0, len(self.calls)) and self.only in ("", name):
            self.failed = name
            raise OSError(self.error, os.strerror(self.error))


class _File:
    """A file whose reads, writes and closes are calls of the disk. A failed close has closed it."""

    def __init__(self, file: IO[Any], disk: FaultyDisk) -> None:
        self._file = file
        self._disk = disk

    def read(self, size: int = -1) -> Any:
        self._disk.check("read")
        return self._file.read(size)

    def write(self, data: bytes) -> Any:
        self._disk.check("write")
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        self._disk.count("close")  # in whichever thread

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _of_the_system(arguments: tuple[Any, ...]) -> bool:
    """Whether a call is about /proc, which is on no disk."""
    return bool(arguments) and str(arguments[0]).startswith("/proc")


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk()

    def checked(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def checking(*arguments: Any, **named: Any) -> Any:
            if not _of_the_system(arguments):
                disk.check(name)
            return call(*arguments, **named)

        return checking

    real_open = io.open

    def open_checked(*arguments: Any, **named: Any) -> Any:
        if not threading.current_thread().name.startswith("disk") or _of_the_system(arguments):
            return real_open(*arguments, **named)
        disk.check("open")
        return _File(real_open(*arguments, **named), disk)

    with pytest.MonkeyPatch.context() as patched:
        for name in _CALLS:
            patched.setattr(os, name, checked(name, getattr(os, name)))
        patched.setattr(io, "open", open_checked)
        patched.setattr("builtins.open", open_checked)
        yield disk
