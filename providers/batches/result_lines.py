"""Reads the lines of a batch's results, also invalid ones as far as possible."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import Any, Final

import orjson

from providers.batches.json_lines import Reserve, ResultLine, TooLong, text_of, work_on
from providers.json_api.json_text import parse_json, render_line
from providers.json_api.structure import TooComplex, is_shallow, structure_of
from providers.limits import JSON_NODES, RESULT_HEAD

# A model can write half of a surrogate pair, which JSON can escape and Unicode cannot encode. The
# pattern also matches other escapes, to skip them: `\\ud800` does not escape a surrogate.
_SURROGATES: Final = re.compile(
    rb"\\\\"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_REPLACEMENT: Final = rb"\ufffd"
_UNUSABLE_ANSWER: Final = "the model's answer is not a JSON object, or it has too many values"
# What may be a number that is not finite.
_NOT_FINITE: Final = re.compile(rb"NaN|Infinity|[eE]\+?[0-9]{3}")
_STRING: Final = rb'("(?:[^"\\]++|\\.)*+")'
_OPENING: Final = re.compile(rb"\s*\{\s*")
_MEMBER: Final = re.compile(rb'%b\s*:\s*%b\s*(?:,\s*|(?!"))' % (_STRING, _STRING), re.DOTALL)


def parse_result(text: bytes, id_member: str) -> tuple[str, dict[str, Any]]:
    """The id of the request that a line names, and the line, with U+FFFD for invalid Unicode.

    Raises ValueError if it is not a JSON object with a string in `id_member`.
    """
    document = parse_in_unicode(text)
    named = document.get(id_member) if isinstance(document, dict) else None
    if not isinstance(named, str):
        raise ValueError("the line names no request")  # noqa: TRY004 - of the text
    return named, document


def parse_quickly(text: bytes, id_member: str) -> tuple[str, dict[str, Any]] | None:
    """As `parse_result`, but an integer beyond 64 bits may be a float; None for invalid lines.

    None also for a line with so many brackets that its depth must be counted. The caller has
    counted the structure of a text that is longer than PARSED_BYTES.
    """
    if not is_shallow(text):
        return None
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    named = document.get(id_member) if isinstance(document, dict) else None
    return (named, document) if isinstance(named, str) else None


def id_at_head(head: bytes, id_member: str) -> str | None:
    """The id in a line that cannot be parsed, if only members with strings are before it."""
    name, value = f'"{id_member}"'.encode(), b""
    found = _OPENING.match(head[:RESULT_HEAD])
    while found := found and _MEMBER.match(head, found.end(), RESULT_HEAD):
        value = found[2] if found[1] == name else value
    try:
        return str(orjson.loads(value))
    except orjson.JSONDecodeError:
        return None


def id_of(line: ResultLine, id_member: str) -> str | None:
    """The id of the request that a line names; None if it cannot be found."""
    if isinstance(line, TooLong):
        return id_at_head(line.head, id_member)
    try:
        return parse_result(line, id_member)[0]
    except ValueError:
        return id_at_head(line, id_member)


async def find_id(line: ResultLine, id_member: str, reserve: Reserve) -> str | None:
    """As `id_of`, in the memory and the thread that a long line needs."""
    find = partial(id_of, line, id_member)
    with suppress(TooComplex):
        return await work_on(text_of(line), JSON_NODES, reserve, find)
    return id_at_head(text_of(line), id_member)


def parse_in_unicode(text: bytes) -> Any:
    """JSON, with U+FFFD for invalid Unicode, and with text for a number that is not finite.

    Raises ValueError for any other text.
    """
    # Not in an `except` block: the exception would keep another copy of the text.
    with suppress(orjson.JSONDecodeError):
        return parse_json(text)
    if _NOT_FINITE.search(text):
        return _parse_not_finite(_in_unicode(text))
    return parse_json(_in_unicode(text))


def line_with_answer(
    answer: bytes,
    line_of: Callable[[dict[str, Any]], dict[str, Any]],
    error_line: Callable[[int, str], bytes],
) -> bytes:
    """The line that `line_of` makes of a model's answer, or an error line for an unusable answer.

    The answer must be a JSON object, and the line one that can be read again.
    """
    with suppress(ValueError):
        # Parsed, since the unchanged bytes might contain a line break.
        parsed = parse_in_unicode(answer)
        if isinstance(parsed, dict):
            rendered = render_line(line_of(parsed))
            structure_of(rendered)
            return rendered
    return error_line(503, _UNUSABLE_ANSWER)


def _parse_not_finite(text: str) -> Any:
    """Python servers write NaN and Infinity, which JSON does not have; Gemini uses text."""
    structure_of(text.encode())
    return json.loads(text, parse_constant=str, parse_float=_finite_or_text)


def _finite_or_text(written: str) -> float | str:
    number = float(written)
    return number if isfinite(number) else str(number).replace("inf", "Infinity")


def _in_unicode(text: bytes) -> str:
    whole = _SURROGATES.sub(_without_half, text)
    return whole.decode(errors="replace")


def _without_half(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else _REPLACEMENT
