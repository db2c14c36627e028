"""Reads the body of a batch's creation from the disk, since it may be larger than the memory.

It is scanned in place, and only one request at a time is parsed. What a request's `params` say is
not looked at here: they are checked when the request is processed (anthropic.md section 2).
"""

import mmap
import re
from collections.abc import Iterator
from typing import Any

import orjson

from ..blob import Blob
from .envelope import refuse

MOST_REQUESTS = 100_000
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FIELDS = ("custom_id", "params")
MAPPED = 8 * 1024 * 1024

SPACE = re.compile(rb"[ \t\r\n]*")
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]"]', re.DOTALL)
SCALAR = re.compile(rb'[^\s,:"{}\[\]]+')


class _Scanner:
    """Finds where values begin and end by brackets and quotes; they are parsed later."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0
        self._kept_from = 0

    def skip_space(self) -> bytes:
        """The next byte that is not white space; nothing at the end."""
        found = SPACE.match(self.data, self.at)
        self.at = found.end() if found else self.at
        return self.data[self.at : self.at + 1]

    def release_read(self) -> None:
        """Release what was read: mapped pages count as memory while they stay mapped."""
        if self.at - self._kept_from > MAPPED:
            self.data.madvise(mmap.MADV_DONTNEED)
            self._kept_from = self.at

    def take(self, mark: bytes) -> None:
        if self.skip_space() != mark:
            raise self.broken(f"expected {mark.decode()!r}")
        self.at += 1

    def items(self, opening: bytes, closing: bytes) -> Iterator[int]:
        """Count the items of a container; the caller takes each item before the next."""
        self.take(opening)
        if self.skip_space() == closing:
            self.at += 1
            return
        count = 0
        while True:
            yield count
            count += 1
            if self.skip_space() == closing:
                self.at += 1
                return
            self.take(b",")

    def value(self) -> tuple[int, int]:
        """The position of the next value."""
        first = self.skip_space()
        start = self.at
        if first in (b"{", b"["):
            self._skip_container()
        else:
            found = (STRING if first == b'"' else SCALAR).match(self.data, start)
            if found is None:
                raise self.broken("expected a value")
            self.at = found.end()
        return start, self.at

    def _skip_container(self) -> None:
        depth = 0
        while True:
            found = STRING_OR_BRACKET.search(self.data, self.at)
            if found is None:
                raise self.broken("a bracket is never closed")
            self.at, mark = found.end(), self.data[found.start()]
            if mark in b"{[":
                depth += 1
            elif mark in b"}]":
                depth -= 1
            elif found.end() == found.start() + 1:
                raise self.broken("a string is never closed")
            if depth == 0:
                return

    def broken(self, why: str) -> Exception:
        return refuse(400, f"The request body is not valid JSON: {why} at byte {self.at}")


def find_requests(blob: Blob) -> list[tuple[int, int]]:
    """The start and end of each request; raises Refusal for what is refused at creation."""
    if blob.size == 0:
        raise refuse(400, "The request body is not valid JSON: it is empty")
    with blob.path.open("rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read_body(_Scanner(data))


def _read_body(scanner: _Scanner) -> list[tuple[int, int]]:
    if scanner.skip_space() != b"{":
        raise refuse(400, "The request body must be a JSON object.")
    requests: list[tuple[int, int]] | None = None
    for _ in scanner.items(b"{", b"}"):
        name = _parsed(scanner, *scanner.value())
        scanner.take(b":")
        if name != "requests":
            raise refuse(400, f"{name}: Extra inputs are not permitted")
        if requests is not None:
            raise refuse(400, "requests: given twice")
        requests = _read_requests(scanner)
    if scanner.skip_space():
        raise scanner.broken("something follows the object")
    if requests is None:
        raise refuse(400, "requests: Field required")
    return requests


def _read_requests(scanner: _Scanner) -> list[tuple[int, int]]:
    if scanner.skip_space() != b"[":
        raise refuse(400, "requests: Input should be a valid array")
    places: list[tuple[int, int]] = []
    seen: set[str] = set()
    for index in scanner.items(b"[", b"]"):
        place = scanner.value()
        if index == MOST_REQUESTS:
            raise refuse(400, f"requests: a batch has at most {MOST_REQUESTS} requests")
        custom_id = _check_request(_parsed(scanner, *place), f"requests.{index}")
        if custom_id in seen:
            raise refuse(400, f"requests.{index}.custom_id: must be unique: {custom_id}")
        seen.add(custom_id)
        places.append(place)
        scanner.release_read()
    if not places:
        raise refuse(400, "requests: a batch has at least 1 request")
    return places


def _parsed(scanner: _Scanner, start: int, end: int) -> Any:
    return orjson.loads(scanner.data[start:end])


def _check_request(request: Any, path: str) -> str:
    if not isinstance(request, dict):
        raise refuse(400, f"{path}: Input should be a valid object")
    for name in FIELDS:
        if name not in request:
            raise refuse(400, f"{path}.{name}: Field required")
    for name in request:
        if name not in FIELDS:
            raise refuse(400, f"{path}.{name}: Extra inputs are not permitted")
    custom_id = request["custom_id"]
    if not isinstance(custom_id, str) or not CUSTOM_ID.fullmatch(custom_id):
        raise refuse(400, f"{path}.custom_id: String should match pattern '{CUSTOM_ID.pattern}'")
    if not isinstance(request["params"], dict):
        raise refuse(400, f"{path}.params: Input should be a valid object")
    return custom_id
