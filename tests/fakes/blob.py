"""Bytes on disk, written as they arrive; hashing and sending never hold them whole."""

import asyncio
import hashlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from .intake import Pace
from .journal import EXCHANGE

PIECE = 256 * 1024


@dataclass(frozen=True)
class Blob:
    path: Path
    size: int

    def digest(self, algorithm: str = "sha256") -> bytes:
        with self.path.open("rb") as source:
            return hashlib.file_digest(source, algorithm).digest()

    def pieces(self, limit: int | None = None) -> Iterator[bytes]:
        left = self.size if limit is None else min(limit, self.size)
        with self.path.open("rb") as source:
            while left > 0 and (piece := source.read(min(PIECE, left))):
                left -= len(piece)
                yield piece


class BlobWriter:
    """A file that grows; `size` is the number of bytes that count as received."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)

    def cut(self, size: int) -> None:
        """Forget everything after the first `size` bytes."""
        self._file.flush()
        self._file.truncate(size)
        self._file.seek(size)
        self.size = size

    def finish(self) -> Blob:
        self._file.close()
        return Blob(self.path, self.size)

    def finish_unless_empty(self) -> Blob | None:
        """None, and no file, if nothing was written."""
        if self.size:
            return self.finish()
        self.discard()
        return None

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class BlobStore:
    """A temporary directory of blobs, deleted when the fake ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fake-")
        self._numbers = itertools.count(1)
        self._writers: list[BlobWriter] = []

    def _new_path(self) -> Path:
        return Path(self._folder.name) / f"{next(self._numbers)}.blob"

    def writer(self) -> BlobWriter:
        self._writers.append(BlobWriter(self._new_path()))
        return self._writers[-1]

    @contextmanager
    def writing(self) -> Iterator[BlobWriter]:
        """A writer whose bytes are deleted if an exception is raised."""
        writer = self.writer()
        try:
            yield writer
        except BaseException:
            writer.discard()
            raise

    def join(self, blobs: Sequence[Blob]) -> Blob:
        path = self._new_path()
        with path.open("wb") as target:
            for blob in blobs:
                with blob.path.open("rb") as source:
                    shutil.copyfileobj(source, target, PIECE)
        return Blob(path, sum(blob.size for blob in blobs))

    def clear(self) -> None:
        """Delete the bytes; what an open writer still writes is lost."""
        for path in Path(self._folder.name).iterdir():
            path.unlink()

    def close(self) -> None:
        for writer in self._writers:
            writer.discard()
        self._folder.cleanup()


class BlobResponse(web.StreamResponse):
    """A download. It opens and sends the blob only when the control middleware asks it to."""

    def __init__(self, blob: Blob, content_type: str) -> None:
        super().__init__()
        self.blob = blob
        self.content_type = content_type
        self.content_length = blob.size

    async def send(self, request: web.Request, limit: int | None = None) -> None:
        """Write the headers and the first `limit` bytes; raises ConnectionError."""
        exchange = request[EXCHANGE]
        pace = Pace(exchange.settings.write_rate)
        await self.prepare(request)
        for piece in self.blob.pieces(limit):
            await self.write(piece)
            exchange.gave(len(piece))
            await pace.passed(len(piece))


async def digest(blob: Blob, algorithm: str = "sha256") -> bytes:
    """The blob's hash, computed off the event loop."""
    return await asyncio.to_thread(blob.digest, algorithm)
