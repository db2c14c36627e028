"""Drafts: objects of the state directory while they are written, each in a file of its own.

A draft is published by a hard link, which is atomic and fails if the name exists. The process that
writes a draft holds a lock on it, which ends with the process. So the drafts of dead processes can
be told from those of living ones, and are removed as soon as another process starts. A draft
without a lock, of a file system that has no locks or of an earlier version, is removed by its age.
Everything here blocks. Raises OSError.
"""

import errno
import fcntl
import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

LEFTOVER_SECONDS: Final = 24 * 3600

# Ends the name of a draft whose writer holds a lock on it.
_LOCKED: Final = ".locked"

# How often a step is repeated after another process has removed a directory.
_ATTEMPTS: Final = 100


def drafts_of(root: Path) -> Path:
    """Where the state directory `root` has its drafts."""
    return root / ".tmp"


class Draft:
    """An object that is being written, in the directory `drafts`.

    If a wait for one of its steps is cancelled twice, as at the end of a program, `discard` can
    come while that step still runs in its thread: it waits for the step, and ends the draft.
    """

    def __init__(self, drafts: Path) -> None:
        self._path = drafts / secrets.token_hex(16)
        self._file: BinaryIO | None = None
        self._step = threading.Lock()
        self._discarded = False

    def append(self, piece: bytes) -> None:
        with self._step:
            if not self._discarded:
                file = self._file or self._open()
                file.write(piece)

    def publish(self, path: Path) -> bool:
        """False if there is an object already."""
        with self._step:
            if self._discarded:
                return False
            if self._file is not None:
                self._file.flush()
                os.fsync(self._file.fileno())
            return _link(self._path, path)

    def finish(self, last: bytes, path: Path) -> bool:
        """Appends the last piece, publishes, and discards: one call, as each one is a thread's."""
        try:
            self.append(last)
            return self.publish(path)
        finally:
            self.discard()

    def discard(self) -> None:
        """A draft that cannot be removed is removed by a later start; the object is complete."""
        with self._step:
            self._discarded = True
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            with suppress(OSError):
                if self._file is not None:
                    self._file.close()

    def _open(self) -> BinaryIO:
        make_directory(self._path.parent)
        self._file = file = open(self._path, "xb", opener=_open_private)  # noqa: SIM115 - `discard` closes it
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return file  # this file system has no locks
        self._path = self._path.rename(self._path.with_suffix(_LOCKED))
        return file


def remove_leftovers(drafts: Path) -> None:
    """Removes the drafts of processes that have ended."""
    for draft in drafts.iterdir() if drafts.exists() else ():
        with suppress(FileNotFoundError):  # its writer, or another process, removed it
            if draft.suffix == _LOCKED:
                _remove_unless_locked(draft)
            elif time.time() - draft.stat().st_mtime > LEFTOVER_SECONDS:
                draft.unlink()


def _remove_unless_locked(draft: Path) -> None:
    with draft.open("r+b") as file, suppress(OSError):
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.unlink()


def make_directory(path: Path) -> None:
    """With its parents, for this user only. Another process may create or remove them meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return  # `exist_ok` would check again, and raise if it was removed in between
        except FileNotFoundError:
            make_directory(path.parent)
        else:
            return
    # A parent that both exists and is not found is a broken link.
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _link(draft: Path, path: Path) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            make_directory(path.parent)
            os.link(draft, path)
        except FileExistsError:
            return False
        except FileNotFoundError:
            continue  # in between, a delete removed the empty directory
        _sync_directory(path.parent)
        return True
    raise OSError("the state directory changes too fast to write to")


def _sync_directory(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return  # the object was deleted immediately
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
