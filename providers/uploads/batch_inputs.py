"""Whether an uploaded file is the input of a batch, for every provider (contract.md section 4).

Files of JSON lines are, by name or type. Text and JSON may also be documents for a prompt: their
first line decides.
"""

import re
from collections.abc import Iterator
from typing import Final

from providers.body import Body, Started
from providers.json_api.json_text import parse_object
from providers.limits import FIRST_LINE
from providers.upload import UploadStart, suffix

_LINES_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})
_LINES_TYPE: Final = re.compile(r"jsonl|ndjson|json-?lines")
_TEXT_TYPES: Final = frozenset({"text/plain"})
_JSON: Final = "json"
# A line of a batch has one of these, in Gemini's format or in a provider's own.
_MEMBERS: Final = frozenset({"key", "request", "custom_id", "recordId", "params"})
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A string, with the colon behind it if it is a name; a bracket; or a string that is cut off.
_TOKEN: Final = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|[][{}]|"[\s\S]*', re.DOTALL)


def by_name_or_type(start: UploadStart) -> bool | None:
    """None if the first line decides."""
    suffixes = {suffix(start.display_name), suffix(start.file_name)}
    mime_type = (start.mime_type or "").partition(";")[0].strip().lower()
    if suffixes & _LINES_SUFFIXES or _LINES_TYPE.search(mime_type):
        return True
    if f".{_JSON}" in suffixes or _JSON in mime_type or mime_type in _TEXT_TYPES:
        return None
    return False


async def by_first_line(body: Body) -> tuple[bool, Body]:
    """Whether the first line is one of a batch, and the same body, to be read from its start.

    Of a line longer than FIRST_LINE only the beginning is read.
    """
    rest, head = aiter(body.chunks), bytearray()
    begun = ended = whole = False
    while not ended and len(head) < FIRST_LINE:
        chunk = await anext(rest, None)
        if chunk is None:
            whole = True
            break
        head += chunk
        line = chunk if begun else chunk.lstrip()
        begun = begun or bool(line)
        ended = begun and b"\n" in line
    decided = begins_a_batch(bytes(head[:FIRST_LINE]), whole=whole)
    return decided, Body(Started(bytes(head), rest), body.length)


def begins_a_batch(head: bytes, *, whole: bool) -> bool:
    """Whether `head` begins with a line of a batch; `whole`: nothing comes after it."""
    line, ended, _ = head.removeprefix(_BYTE_ORDER_MARK).lstrip().partition(b"\n")
    if not ended and not whole:
        return line.startswith(b"{") and not _MEMBERS.isdisjoint(_names(line))
    document = parse_object(line)
    return document is not None and not _MEMBERS.isdisjoint(document)


def _names(line: bytes) -> Iterator[str]:
    """The names of the members of an object whose end may be missing."""
    depth = 0
    for token in _TOKEN.finditer(line):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and token[2]:
            yield token[1].decode("latin-1")
