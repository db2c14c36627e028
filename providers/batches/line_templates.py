"""Translates lines that differ from an earlier one only in their key and their texts.

Most requests of a batch are like that. The general translator makes a template of the first one: it
translates the line with marks in the place of its texts, and where a mark comes out, there each
text goes. A later line is not parsed: if the bytes around its texts are those of the template, its
translation has the bytes around the marks.

This holds because a translator only copies a text. The two exceptions are handed over: a blank text
is dropped or refused, and a request that must mention JSON is refused with marks.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from providers.batches.request_table import indexed_id
from providers.errors import FerryError
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import one_line, parse_own_json

# Longer lines gain little, and need memory reserved.
TEMPLATED_BYTES: Final = 256 << 10
# Of one template, without its texts: a larger one has media or other data that differs.
_FRAME_BYTES: Final = 64 << 10
_TEXTS: Final = 32
_TEMPLATES: Final = 8
# In an input whose lines all differ, making templates and comparing with them must not cost much.
_ATTEMPTS: Final = 32
_MISSES: Final = 64
_WARNINGS: Final = 16

_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"'
_SLOT: Final = re.compile(rb'"(?:key|text)"\s*:\s*(' + _STRING + rb")", re.DOTALL)
# The members of a request that are one turn, without a list.
_TURNS: Final = ("content", "systemInstruction", "system_instruction")
_MARK: Final = f"ferry{secrets.token_hex(8)}"
_MARKED_INDEX: Final = 9_999_999_999
_MARKED_ID: Final = indexed_id(_MARKED_INDEX).encode()


class Translator(Protocol):
    @property
    def warnings(self) -> Warnings: ...

    def line(self, index: int, request: object, path: str) -> bytes: ...


@dataclass(slots=True)
class TemplatedLine:
    """`key` is the line's, and `texts` are its texts as the translator writes them."""

    template: "_Template"
    key: str
    texts: list[bytes]


@dataclass(frozen=True, slots=True)
class _Template:
    """`around` are the bytes of a line around its strings, of which `key` is the key's number.

    `written` is the translation, with an empty piece for the id and for each text, which are at
    `id_place` and, in the order of the line, at `text_places`. `warned` is what each line adds.
    """

    around: tuple[bytes, ...]
    key: int
    written: tuple[bytes, ...]
    id_place: int
    text_places: tuple[int, ...]
    warned: Mapping[str, int]

    def strings(self, line: bytes) -> list[bytes] | None:
        """The strings of `line` as they are written; None if other bytes are around them."""
        first, *between, last = self.around
        if not (line.startswith(first) and line.endswith(last)):
            return None
        found: list[bytes] = []
        start = len(first)
        for piece in between:
            end = line.find(piece, start)
            if end < 0:
                return None
            found.append(line[start:end])
            start = end + len(piece)
        found.append(line[start : len(line) - len(last)])
        return found

    def fill(self, index: int, texts: list[bytes]) -> bytes:
        pieces = list(self.written)
        pieces[self.id_place] = indexed_id(index).encode()
        for place, text in zip(self.text_places, texts, strict=True):
            pieces[place] = text
        return one_line(b"".join(pieces))


class LineTemplates:
    """The templates of one reading of an input."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._templates: list[_Template] = []
        self._attempts = 0
        self._misses = 0

    def find(self, line: bytes) -> TemplatedLine | None:
        """A line like an earlier one; None for every other, also for an invalid one."""
        if self._misses == _MISSES:
            return None
        for template in self._templates:
            strings = template.strings(line)
            if strings is not None:
                self._misses = 0
                return _read(template, strings)
        self._misses += 1
        return None

    def line(self, index: int, found: TemplatedLine) -> bytes:
        """What the translator's `line` gives, with the same warnings."""
        template = found.template
        if template.warned:
            self._translator.warnings.add(template.warned)
        return template.fill(index, found.texts)

    def learn(self, line: bytes, path: str) -> None:
        """Make a template of a line that was translated, if later ones may be like it."""
        if (
            self._attempts == _ATTEMPTS
            or len(self._templates) == _TEMPLATES
            or len(line) > TEMPLATED_BYTES
        ):
            return
        self._attempts += 1
        template = self._made(line, path)
        if template is not None:
            self._templates.append(template)

    def _made(self, line: bytes, path: str) -> _Template | None:
        marked = _marked(line)
        if marked is None:
            return None
        try:
            with self._translator.warnings.apart() as warned:
                written = self._translator.line(_MARKED_INDEX, marked.request, path)
        except FerryError:
            return None
        marks = [_MARKED_ID, *map(orjson.dumps, marked.texts)]
        if len(warned) > _WARNINGS or any(written.count(mark) != 1 for mark in marks):
            return None
        in_order = sorted(marks, key=written.index)
        pieces: list[bytes] = []
        rest = written
        for mark in in_order:
            piece, _, rest = rest.partition(mark)
            pieces += [piece, b""]
        id_place, *text_places = (2 * in_order.index(mark) + 1 for mark in marks)
        return _Template(
            marked.around,
            marked.key,
            (*pieces, rest),
            id_place,
            tuple(text_places),
            dict(warned),
        )


def _read(template: _Template, strings: list[bytes]) -> TemplatedLine | None:
    """None if one of `strings` is not a JSON string, or is blank."""
    texts: list[bytes] = []
    key = ""
    for number, written in enumerate(strings):
        if written[:1] != b'"' or written[-1:] != b'"':
            return None
        try:
            value = orjson.loads(written)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(value, str) or not value.strip():
            return None
        if number == template.key:
            key = value
        else:
            # The translator writes fewer characters as escapes than others do.
            texts.append(orjson.dumps(value) if b"\\" in written else written)
    return TemplatedLine(template, key, texts)


@dataclass(frozen=True, slots=True)
class _Marked:
    """A line with marks in the place of its strings.

    `around` are the bytes around the strings; `key` is the number of the key's string, `texts` are
    the marks of the others, and `request` has these.
    """

    around: tuple[bytes, ...]
    key: int
    texts: list[str]
    request: object


def _marked(line: bytes) -> _Marked | None:
    """None if the line is not one for a template."""
    spans = [found.span(1) for found in _SLOT.finditer(line)]
    if not 1 < len(spans) <= _TEXTS or _MARK.encode() in line:
        return None
    around = _around(line, spans)
    if sum(map(len, around)) > _FRAME_BYTES:
        return None
    # Members of these names may be elsewhere too; the parsed document shows where each mark is.
    marks = [_mark(number) for number in range(len(spans))]
    document = orjson.loads(_replaced(around, marks))
    key, strings = document.get("key"), {*_texts_of(document.get("request"))}
    del document  # there are never two
    used = [n for n, mark in enumerate(marks) if mark == key or mark in strings]
    around, marks = _around(line, [spans[n] for n in used]), [marks[n] for n in used]
    if key not in marks or sum(map(len, around)) > _FRAME_BYTES:
        return None
    place = marks.index(key)
    request = parse_own_json(_replaced(around, marks))["request"]
    return _Marked(around, place, marks[:place] + marks[place + 1 :], request)


def _mark(number: int) -> str:
    return f"{_MARK}-{number}-"


def _around(line: bytes, spans: list[tuple[int, int]]) -> tuple[bytes, ...]:
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(line)]
    return tuple(line[start:end] for start, end in zip(starts, ends, strict=True))


def _replaced(around: tuple[bytes, ...], marks: list[str]) -> bytes:
    first, *rest = around
    pairs = zip(map(orjson.dumps, marks), rest, strict=True)
    return first + b"".join(mark + piece for mark, piece in pairs)


def _texts_of(request: object) -> Iterator[str]:
    """The texts of the conversation and of its instruction."""
    if not isinstance(request, dict):
        return
    contents = request.get("contents")
    turns = [*(contents if isinstance(contents, list) else []), *map(request.get, _TURNS)]
    for turn in turns:
        parts = turn.get("parts") if isinstance(turn, dict) else None
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]
