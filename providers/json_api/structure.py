"""How much structure a JSON text has, counted before any object is built.

What parsing and translating costs depends on the number of values more than on the length of the
text: an object with one short string takes 12 bytes of text and 800 bytes of memory. So the values
are counted in the text first, with methods of `bytes`, which take a small part of the time.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import orjson

from providers.limits import JSON_DEPTH, JSON_ITEMS, JSON_NODES
from providers.long_work import off_loop

# Translating a text that is not longer takes at most 10 ms and 2 MiB, whatever is in it.
SHORT_BYTES: Final = 16 << 10
# Parsing a text that is not longer, with few brackets, takes at most 1 ms and 2 MiB.
PARSED_BYTES: Final = 32 << 10
# Work on more than this goes to a thread: it takes 2 us a node, and 4 ms for a MiB of text.
_LONG_BYTES: Final = 1 << 20
_LONG_NODES: Final = 5_000
# Measured with the smallest parts, in every provider's translation: 265. The rest is for schemas.
_NODE_BYTES: Final = 300
_ITEM_BYTES: Final = 64

_SLICE_BYTES: Final = 4 << 10
_COUNTED_BYTES: Final = 4 << 10
_BACKSLASH: Final = ord("\\")
_PLAIN: Final = bytes(set(range(256)) - set(b'[{]},"'))
# One level down for an opening bracket, and up for a closing one, as signed bytes.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


class TooComplex(orjson.JSONDecodeError):
    """A JSON text that exceeds a limit of structure, which the message names."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)
        self.message: Final = message


@dataclass(frozen=True, slots=True)
class Structure:
    """Of a JSON text; of one with little structure perhaps only upper bounds.

    `nodes` are the objects, lists and strings, with the names of members; `items` are the commas.
    """

    length: int
    depth: int
    nodes: int
    items: int

    @property
    def extra_bytes(self) -> int:
        """The memory that parsing and translating takes because of the structure."""
        if self.length <= SHORT_BYTES:
            return 0
        return self.nodes * _NODE_BYTES + self.items * _ITEM_BYTES

    @property
    def is_long_work(self) -> bool:
        """Whether parsing and translating would hold the event loop too long."""
        if self.length <= SHORT_BYTES:
            return False
        return self.length > _LONG_BYTES or self.nodes + self.items // 16 > _LONG_NODES


def structure_of(text: bytes, nodes: int = JSON_NODES) -> Structure:
    """Raises TooComplex for a text with more than `nodes`, or over another limit."""
    return _bounded(text, nodes) or _counted(text, nodes)


def _bounded(text: bytes, most_nodes: int) -> Structure | None:
    """Upper bounds, counted also inside of strings; None if they are high.

    For 40 KB of prose this takes a tenth of the time of an exact count.
    """
    brackets = _brackets(text)
    if brackets > JSON_DEPTH:
        return None
    if len(text) <= SHORT_BYTES:
        return Structure(len(text), brackets, len(text) // 2, len(text) // 2)
    items = text.count(b",")
    # Each comma separates two members, of two nodes each at most.
    nodes = brackets + 2 * (items + brackets) + 1
    if nodes + items // 16 > _LONG_NODES:
        nodes = brackets + text.count(b'"') // 2
    if nodes > most_nodes or items > JSON_ITEMS or nodes + items // 16 > _LONG_NODES:
        return None
    return Structure(len(text), brackets, nodes, items)


def is_shallow(text: bytes) -> bool:
    """Whether the text has so few brackets that it cannot be nested too deeply."""
    return _brackets(text) <= JSON_DEPTH


def _brackets(text: bytes) -> int:
    """How many opening brackets `text` has, if not more than JSON_DEPTH.

    For 10 KB with few brackets, `find` takes a quarter of the time of `count`; for 1 KB, as much.
    """
    if len(text) < _COUNTED_BYTES:
        return text.count(b"[") + text.count(b"{")
    found = 0
    for bracket in (b"[", b"{"):
        at = text.find(bracket)
        while at >= 0 and found <= JSON_DEPTH:
            found, at = found + 1, text.find(bracket, at + 1)
    return found


async def weigh(text: bytes, nodes: int = JSON_NODES) -> Structure:
    """As `structure_of`; a long text is counted in a thread."""
    if len(text) > _LONG_BYTES:
        return await off_loop(structure_of, text, nodes)
    return structure_of(text, nodes)


def _counted(text: bytes, most_nodes: int) -> Structure:
    """Counted slice by slice, outside of strings. Raises TooComplex at the first excess."""
    quotes = containers = items = depth = deepest = start = 0
    in_string = False
    while start < len(text):
        if in_string:
            start = _end_of_string(text, start)
        piece = text[start : start + _SLICE_BYTES]
        if piece.endswith(b"\\") and (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            piece = text[start : start + _SLICE_BYTES + 1]  # not between a backslash and its escape
        start += len(piece)
        if b"\\" in piece:
            # In this order, because a backslash can be escaped too.
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        marks = piece.translate(None, _PLAIN)
        found = marks.count(b'"')
        # A pair of quotes with nothing counted in between: it changes nothing for other marks.
        runs = marks.replace(b'""', b"").split(b'"')
        outside = b"".join(runs[in_string::2])
        in_string ^= found % 2 == 1
        steps = outside.translate(_STEPS, b",")
        depths = list(accumulate(memoryview(steps).cast("b"), initial=depth))
        depth, deepest = depths[-1], max(deepest, *depths)
        opened = outside.count(b"[") + outside.count(b"{")
        quotes, containers = quotes + found, containers + opened
        items += len(outside) - len(steps)
        _check(deepest, containers + quotes // 2, items, most_nodes)
    return Structure(len(text), deepest, containers + quotes // 2, items)


def _end_of_string(text: bytes, start: int) -> int:
    """The position of the next quote in a string; `start` if that quote may be escaped."""
    quote = text.find(b'"', start)
    if quote < 0:
        return len(text)
    return start if text[quote - 1] == _BACKSLASH else quote


def _check(depth: int, nodes: int, items: int, most_nodes: int) -> None:
    if depth > JSON_DEPTH:
        raise TooComplex(f"is nested too deeply: more than {JSON_DEPTH} levels")
    if nodes > most_nodes:
        raise TooComplex(
            f"has more than {most_nodes} objects, lists, strings and names of members together"
        )
    if items > JSON_ITEMS:
        raise TooComplex(f"has more than {JSON_ITEMS} values and members together")
