"""Parses a long JSON text piece by piece, so that other threads can run in between.

A call of orjson holds the interpreter until it returns: 0.1 s for a string of 32 MiB, and 0.5 s for
as much of numbers with many digits. So the text is cut at commas. A piece is parsed together with
the brackets that are open before it, and what it holds is added to what the pieces before it hold.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final, TypeAlias

import orjson

from providers.limits import JSON_NAME

Container: TypeAlias = list[Any] | dict[str, Any]
Parse: TypeAlias = Callable[[bytes], Any]

# Texts that no client can know: the name of what is open before a piece, that of its end, and the
# start of what stands for a long string.
_BEFORE: Final = token_hex()
_END: Final = token_hex()
_LONG: Final = token_hex()

_LIST: Final = ord("[")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[{]}"))
_CLOSING: Final = bytes.maketrans(b"[{", b"]}")
_HIGH_SURROGATE: Final = re.compile(rb"\\u[dD][89abAB]")
_ESCAPE_BYTES: Final = len(rb"\ud83d")


def parse_in_pieces(text: bytes, parse: Parse, piece_bytes: int = JSON_NAME) -> Any:
    """What `parse(text)` returns, which is called with pieces of about `piece_bytes` instead.

    Raises orjson.JSONDecodeError for a text that is not JSON, and for the name of a member that is
    longer than a piece.
    """
    tree = _Tree(parse)
    for piece in _pieces(text, parse, piece_bytes):
        tree.add(piece)
    return tree.root


@dataclass(slots=True)
class _Piece:
    """A part of the text from `start`, which ends before a comma, or is the last one.

    Each long string in it is replaced by its name in `strings`.
    """

    start: int
    parts: list[bytes] = field(default_factory=list)
    strings: dict[str, str] = field(default_factory=dict)
    is_last: bool = False


def _pieces(text: bytes, parse: Parse, size: int) -> Iterator[_Piece]:
    piece, at = _Piece(0), 0
    while at < len(text):  # outside of strings
        window = text[at : at + size]
        outside = _masked(window).split(b'"')
        comma = _last_comma(outside, len(window))
        if comma >= 0:
            piece.parts.append(window[:comma])
            yield piece
            at += comma + 1
            piece = _Piece(at)
        elif len(outside) % 2:
            piece.parts.append(window)
            at += len(window)
        else:
            start = at + len(window) - len(outside[-1])
            end = _end_of_string(text, start, size)
            if end - start <= size:
                piece.parts.append(text[at : end + 1])
            else:
                name = f"{_LONG}{len(piece.strings)}"
                piece.strings[name] = _long_string(text, start, end, parse, size)
                piece.parts += [text[at:start], name.encode(), b'"']
            at = end + 1
    piece.is_last = True
    yield piece


def _masked(text: bytes) -> bytes:
    """`text` with something else for escaped quotes. It begins and ends between characters."""
    if b"\\" not in text:
        return text
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _last_comma(outside: list[bytes], end: int) -> int:
    """The position of the last comma in a text of `end` bytes that was split at quotes, or -1.

    Every second part is in a string.
    """
    for index in range(len(outside) - 1, -1, -1):
        start = end - len(outside[index])
        if index % 2 == 0 and (comma := outside[index].rfind(b",")) >= 0:
            return start + comma
        end = start - 1
    return -1


def _end_of_string(text: bytes, start: int, size: int) -> int:
    """The position of the quote after the content of a string, which begins at `start`."""
    for at, until in _slices(text, start, len(text), size):
        quote = _masked(text[at:until]).find(b'"')
        if quote >= 0:
            return at + quote
    raise orjson.JSONDecodeError("a string without an end", "", start)


def _long_string(text: bytes, start: int, end: int, parse: Parse, size: int) -> str:
    slices = (b'"%b"' % text[at:until] for at, until in _slices(text, start, end, size))
    return "".join(map(parse, slices))


def _slices(text: bytes, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """The content of a string, in slices of about `size` that hold whole characters."""
    while start < end:
        until = end if end - start <= size else _between_characters(text, start, start + size)
        yield start, until
        start = until


def _between_characters(text: bytes, start: int, end: int) -> int:
    """The last such position of a string in `text[start:end]`, or one shortly before it.

    `start` is such a position, and at least four escapes before `end`.
    """
    escape = text.rfind(b"\\", end - 2 * _ESCAPE_BYTES, end)
    if escape >= 0 and _is_escape(text, start, escape):
        high = escape - _ESCAPE_BYTES
        is_second_half = _HIGH_SURROGATE.match(text, high) and _is_escape(text, start, high)
        return high if is_second_half else escape
    for position in range(end, end - 4, -1):
        if text[position] & 0xC0 != 0x80:  # not amid a character of several bytes
            return position
    return end  # not UTF-8


def _is_escape(text: bytes, start: int, position: int) -> bool:
    """Whether the backslash there is not itself escaped."""
    until = text[start : position + 1]
    return (len(until) - len(until.rstrip(b"\\"))) % 2 == 1


class _Tree:
    """The value so far, with the containers that are open in it, outermost first."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self._open: list[Container] = []
        self._brackets = b""
        self.root: Any = None

    def add(self, piece: _Piece) -> None:
        text = b"".join(piece.parts)
        closed, opened = _unmatched(text)
        kept = max(0, len(self._brackets) - closed)
        head, after = _head(self._brackets), self._brackets[:kept] + opened
        tail = b"" if piece.is_last else _tail(after)
        try:
            part = _restored(self._parse(head + text + tail), piece.strings)
        except orjson.JSONDecodeError as error:
            position = max(0, piece.start + error.pos - len(head))
            raise orjson.JSONDecodeError(error.msg, "", position) from None
        if not (after or piece.is_last):
            raise orjson.JSONDecodeError("a comma after the end", "", piece.start)
        self._join(part, kept, len(after) - kept)
        self._brackets = after

    def _join(self, part: Any, kept: int, opened: int) -> None:
        levels: list[Container] = []
        """What the piece adds to each container that was open."""
        rest = part
        for _ in self._open:
            levels.append(rest)
            rest = rest.pop(0 if isinstance(rest, list) else _BEFORE)
        inner: list[Container] = []
        if kept or opened:
            around = levels[kept - 1] if kept else [part]
            inner = _path_to_end(around, opened) or []
            _remove_end(inner[-1] if inner else around)
        for container, more in zip(self._open, levels, strict=True):
            if isinstance(container, list):
                container.extend(more)
            else:
                container.update(more)
        if not self._open:
            self.root = part
        self._open = self._open[:kept] + inner


def _unmatched(text: bytes) -> tuple[int, bytes]:
    """The number of brackets that are closed in `text` only, and those that are opened only."""
    outside = b"".join(_masked(text).split(b'"')[::2])
    brackets = outside.translate(None, _NOT_BRACKETS)
    shorter = brackets.replace(b"[]", b"").replace(b"{}", b"")
    while shorter != brackets:
        brackets, shorter = shorter, shorter.replace(b"[]", b"").replace(b"{}", b"")
    closed = len(brackets) - len(brackets.lstrip(b"]}"))
    return closed, brackets[closed:]


def _head(brackets: bytes) -> bytes:
    """Opens them, with something in the innermost one: then a piece must follow a comma."""
    if not brackets:
        return b""
    name = f'"{_BEFORE}"'.encode()
    outer = b"".join(b"[" if each == _LIST else b"{%b:" % name for each in brackets[:-1])
    return outer + (b"[%b," % name if brackets[-1] == _LIST else b"{%b:0," % name)


def _tail(brackets: bytes) -> bytes:
    """Marks the end in the innermost one, and closes them."""
    if not brackets:
        return b""
    end = b',"%b"' % _END.encode() + (b"" if brackets[-1] == _LIST else b":0")
    return end + brackets[::-1].translate(_CLOSING)


def _restored(value: Any, strings: Mapping[str, str]) -> Any:
    """`value`, with the long strings in the places of their names."""
    if not strings:
        return value
    if isinstance(value, str):
        return strings.get(value, value)
    if isinstance(value, list):
        value[:] = [_restored(each, strings) for each in value]
    if isinstance(value, dict):
        if not strings.keys().isdisjoint(value):
            raise orjson.JSONDecodeError(
                f"the name of a member has more than {JSON_NAME} bytes", "", 0
            )
        for name, each in value.items():
            value[name] = _restored(each, strings)
    return value


def _path_to_end(container: Container, depth: int) -> list[Container] | None:
    """The containers in it down to the one with the end, which is `depth` levels down.

    That is the last value, but not always in an object that has two members of the same name.
    """
    if depth == 0:
        return [] if _has_end(container) else None
    last = container[-1:] if isinstance(container, list) else reversed(container.values())
    for child in last:
        if isinstance(child, list | dict):
            path = _path_to_end(child, depth - 1)
            if path is not None:
                return [child, *path]
    return None


def _has_end(container: Container) -> bool:
    if isinstance(container, list):
        return container[-1:] == [_END]
    return _END in container


def _remove_end(container: Container) -> None:
    if isinstance(container, list):
        container.pop()
    else:
        del container[_END]
