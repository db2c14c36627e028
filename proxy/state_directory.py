"""The state store in a directory, which several processes on one machine may share."""

import errno
import os
import secrets
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from providers.body import Body, TruncatedBody
from providers.state import ObjectInfo
from proxy.object_names import check_name, check_prefix
from proxy.parts_as_objects import PartsAsObjects
from proxy.threads import in_slices, in_thread, slices_of

LEFTOVER_SECONDS: Final = 24 * 3600

# Added to the names of objects, which cannot contain it: so `a` and `a/b` can both exist.
_OBJECT_MARK: Final = "="

_LISTED_AT_ONCE: Final = 256

# How often a create tries again after another process has deleted its directory.
_PUBLISH_ATTEMPTS: Final = 100


class DirectoryState:
    """Implements `providers.state.State`.

    An object is written under `.tmp` and published by a hard link, which is atomic and fails if
    the name exists. Directories are created when they are needed. Raises OSError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = _drafts_of(root)
        self.multipart = PartsAsObjects(self)

    async def remove_leftovers(self) -> None:
        await in_thread(_remove_leftovers, self._drafts)

    async def create(self, name: str, body: Body) -> bool:
        path = self._path(name)
        draft = _Draft(self._drafts / secrets.token_hex(16))
        try:
            await _fill(draft, body)
            return await in_thread(draft.publish, path)
        finally:
            await in_thread(draft.discard)

    async def get(self, name: str) -> Body | None:
        info = await self.head(name)
        if info is None:
            return None
        content = _read(self._path(name))
        try:
            first = await anext(content, b"")
        except FileNotFoundError:  # deleted since then
            return None
        return Body(_Opened(first, content), info.size)

    async def head(self, name: str) -> ObjectInfo | None:
        return await in_thread(_info, name, self._path(name))

    async def delete(self, name: str) -> None:
        await in_thread(_delete, self._path(name), self._root)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        parent = check_prefix(prefix)[: prefix.rfind("/") + 1]
        found = _walk(self._root / parent, parent, prefix)
        while batch := await in_thread(_next_batch, found):
            for info in batch:
                yield info

    def _path(self, name: str) -> Path:
        return self._root / f"{check_name(name)}{_OBJECT_MARK}"


# --- writing ---------------------------------------------------------------------------------


class _Draft:
    """An object that is being written. Its methods block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def append(self, piece: bytes) -> None:
        if self._file is None:
            _make_directory(self._path.parent)
            self._file = open(self._path, "xb", opener=_open_private)  # noqa: SIM115 - `discard` closes it
        self._file.write(piece)

    def publish(self, path: Path) -> bool:
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
        return _link(self._path, path)

    def discard(self) -> None:
        """A draft that cannot be removed is removed by a later start; the object is complete."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


async def _fill(draft: _Draft, body: Body) -> None:
    size = 0
    async for piece in in_slices(body.chunks):
        size += len(piece)
        await in_thread(draft.append, piece)
    if body.length is not None and size != body.length:
        raise TruncatedBody(f"a body of {body.length} bytes had {size}")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_directory(path: Path) -> None:
    """With its parents, for this user only. Another process may create or remove them meanwhile."""
    for _ in range(_PUBLISH_ATTEMPTS):
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return  # `exist_ok` would check again, and raise if it was removed in between
        except FileNotFoundError:
            _make_directory(path.parent)
        else:
            return
    # A parent that both exists and is not found is a broken link.
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _link(draft: Path, path: Path) -> bool:
    for _ in range(_PUBLISH_ATTEMPTS):
        try:
            _make_directory(path.parent)
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


# --- reading and deleting --------------------------------------------------------------------


class _Opened(AsyncIterator[bytes]):
    """The content of an object whose file is open: it can be read to its end after a delete."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self._first = first
        self._rest = rest

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._rest)

    async def aclose(self) -> None:
        await self._rest.aclose()


async def _read(path: Path) -> AsyncGenerator[bytes, None]:
    with ExitStack() as opened:  # a cancelled wait would lose the thread's result, the open file
        ended = threading.Event()
        opened.callback(ended.set)

        def open_it() -> BinaryIO:
            file = opened.enter_context(path.open("rb"))
            if ended.is_set():  # the wait was cancelled twice, as at the end of a program
                opened.close()
            return file

        file = await in_thread(open_it)
        async for piece in slices_of(file):
            yield piece


def _info(name: str, path: Path) -> ObjectInfo | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return ObjectInfo(name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _delete(path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == root or not _remove_empty(parent):
            return


def _remove_empty(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:
        return False
    return True


def _walk(directory: Path, above: str, prefix: str) -> Iterator[ObjectInfo]:
    """The objects in `directory` whose names start with `prefix`; all names start with `above`."""
    for key, path in sorted(_entries(directory)):
        name = above + key
        if not name.startswith(prefix):
            continue
        if key.endswith("/"):
            yield from _walk(path, name, prefix)
        elif info := _info(name, path):
            yield info


def _entries(directory: Path) -> Iterator[tuple[str, Path]]:
    """Objects by name, directories by name with a slash: so they sort like whole names."""
    try:
        found = list(directory.iterdir())
    except FileNotFoundError:
        return
    for path in found:
        if path.name.endswith(_OBJECT_MARK):
            yield path.name.removesuffix(_OBJECT_MARK), path
        elif not path.name.startswith(".") and path.is_dir():
            yield f"{path.name}/", path


def _next_batch(found: Iterator[ObjectInfo]) -> list[ObjectInfo]:
    return list(islice(found, _LISTED_AT_ONCE))


def _remove_leftovers(drafts: Path) -> None:
    """Removes drafts of processes that died: no draft takes a day to write."""
    limit = time.time() - LEFTOVER_SECONDS
    for draft in drafts.iterdir() if drafts.exists() else ():
        try:
            if draft.stat().st_mtime < limit:
                draft.unlink()
        except FileNotFoundError:
            continue  # another process removed it first


# --- trying ----------------------------------------------------------------------------------


def try_directory(root: Path) -> str | None:
    """Why `root` cannot be used, as a sentence without a full stop; None if it can be used.

    Leaves nothing behind. Blocks.
    """
    drafts = _drafts_of(root)
    made: list[Path] = []
    try:
        made += [path for path in (drafts, *drafts.parents) if not path.exists()]
        _try_to_write(drafts / f"probe-{secrets.token_hex(16)}")
    except OSError as error:
        return f"the directory {root} cannot be created or written: {_obstacle(drafts, error)}"
    finally:
        for path in made:
            _remove_empty(path)
    return None


def _try_to_write(probe: Path) -> None:
    draft, link = _Draft(probe), probe.with_suffix(".link")
    try:
        draft.append(b"probe")
        draft.publish(link)
    finally:
        # A second error here would hide the first.
        with suppress(OSError):
            link.unlink(missing_ok=True)
        with suppress(OSError):
            draft.discard()


def _obstacle(drafts: Path, error: OSError) -> str:
    with suppress(PermissionError):  # in that case `error` itself says what is wrong
        for path in (*reversed(drafts.parents), drafts):
            if path.is_symlink() and not path.exists():
                loop = error.errno == errno.ELOOP
                what = "is part of a loop of links" if loop else "points to nothing"
                return f"the link {path} {what}"
            if path.exists() and not path.is_dir():
                return f"{path} is not a directory"
    return error.strerror or type(error).__name__


def _drafts_of(root: Path) -> Path:
    return root / ".tmp"
