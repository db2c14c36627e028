"""The state store in a directory, which several processes on one machine may share."""

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from providers.body import Body, TruncatedBody, in_memory
from providers.state import ObjectInfo
from proxy.drafts import Draft, drafts_of, remove_leftovers
from proxy.object_names import check_name, check_prefix
from proxy.parts_as_objects import PartsAsObjects
from proxy.threads import SLICE_BYTES, in_slices, in_thread, surely_in_thread

# Added to the names of objects, which cannot contain it: so `a` and `a/b` can both exist.
_OBJECT_MARK: Final = "="

_LISTED_AT_ONCE: Final = 256

P = ParamSpec("P")
T = TypeVar("T")


class DirectoryState:
    """Implements `providers.state.State`.

    An object is written under `.tmp` and published by a hard link, which is atomic and fails if
    the name exists. Directories are created when they are needed. Raises OSError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.drafts = drafts_of(root)
        self.multipart = PartsAsObjects(self)

    async def remove_leftovers(self) -> None:
        await in_thread(remove_leftovers, self.drafts)

    async def create(self, name: str, body: Body) -> bool:
        path = self._path(name)
        draft = Draft(self.drafts)
        try:
            last = await _fill(draft, body)
            return await in_thread(draft.finish, last, path)
        except BaseException:
            with suppress(OSError):  # what the caller must know is why there is no object
                await surely_in_thread(draft.discard)
            raise

    async def get(self, name: str) -> Body | None:
        content = _Content(self._path(name))
        try:
            await content.open()
        except FileNotFoundError:
            return None
        return in_memory(content.first) if content.is_whole else Body(content, content.size)

    async def head(self, name: str) -> ObjectInfo | None:
        return await in_thread(_info, name, self._path(name))

    async def delete(self, name: str) -> None:
        await in_thread(_delete, self._path(name), self._root)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        parent = check_prefix(prefix)[: prefix.rfind("/") + 1]
        found = _walk(self._root / parent, parent, prefix, after)
        while batch := await in_thread(_next_batch, found):
            for info in batch:
                yield info

    def _path(self, name: str) -> Path:
        return self._root / f"{check_name(name)}{_OBJECT_MARK}"


async def _fill(draft: Draft, body: Body) -> bytes:
    """Writes all but the last slice, which is returned; it is smaller than the others."""
    size, last = 0, b""
    async for piece in in_slices(body.chunks):
        size += len(piece)
        if len(piece) < SLICE_BYTES:
            last = piece
        else:
            await in_thread(draft.append, piece)
    if body.length is not None and size != body.length:
        raise TruncatedBody(f"a body of {body.length} bytes had {size}")
    return last


# --- reading and deleting --------------------------------------------------------------------


class _Content(AsyncIterator[bytes]):
    """The content of an object, which can be read to its end after a delete.

    Its first slice is read as it is opened, since each call of the disk costs a thread switch.
    """

    def __init__(self, path: Path) -> None:
        self.first = b""
        self.size = 0
        self._path = path
        self._file: BinaryIO | None = None
        # A cancelled wait would lose the thread's result, the open file.
        self._opened = ExitStack()
        self._ended = threading.Event()

    @property
    def is_whole(self) -> bool:
        """Whether `first` is all of it; the file is then closed."""
        return len(self.first) == self.size

    async def open(self) -> None:
        await self._or_close(self._open)

    async def __anext__(self) -> bytes:
        piece, self.first = self.first, b""
        if not piece and self._file is not None:
            piece = await self._or_close(self._file.read, SLICE_BYTES)
        if not piece:
            self._close()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        self._close()

    def _open(self) -> None:
        file = self._opened.enter_context(self._path.open("rb"))
        self.size = os.fstat(file.fileno()).st_size
        self.first = file.read(SLICE_BYTES)
        self._file = file
        if self.is_whole or self._ended.is_set():  # the wait was cancelled twice, as at the end
            self._opened.close()

    async def _or_close(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await in_thread(step, *args, **kwargs)
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        self._ended.set()
        self._file = None
        self._opened.close()


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


def _walk(directory: Path, above: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
    """The objects in `directory` whose names start with `prefix` and come after `after`.

    All names start with `above`. Nothing is asked about objects and directories before `after`.
    """
    for key, path in sorted(_entries(directory)):
        name = above + key
        if not name.startswith(prefix):
            continue
        if key.endswith("/"):
            if name > after or after.startswith(name):
                yield from _walk(path, name, prefix, after)
        elif name > after and (info := _info(name, path)):
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
