"""The formats that a file of requests may be in: Gemini's, and each provider's own."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

import orjson

from providers.batches.line_templates import LineTemplates
from providers.batches.request_table import RowKind
from providers.errors import invalid_argument
from providers.gemini_content.normalise import REQUEST_MEMBERS, refuse_beside_request
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import parse_json, render_compact, render_json
from providers.json_api.structure import TooComplex
from providers.json_api.unknown_members import is_misspelt
from providers.limits import CUSTOM_ID, LINE_KEY, LINE_NODES

# In characters. As a Python object it is as large as a digest.
_SHORT_TEXT: Final = 16
_AN_ARRAY: Final = "the file is a JSON array; write each request on a line of its own, without [ ]"
_KEYED: Final = ("key", "request")
# `config` is not a member but a common mistake that the reader of requests explains.
_GEMINI_MEMBERS: Final = frozenset({*_KEYED, *REQUEST_MEMBERS, "config"})
_UNKNOWN: Final = "an unknown"
_MEMBERS_COMPARED: Final = 8
# A colon can be escaped like this; then counting colons proves nothing.
_ESCAPED: Final = b"\\u003"


class RequestTranslator(Protocol):
    """Translates Gemini requests to lines of one provider."""

    @property
    def endpoint(self) -> str: ...

    @property
    def warnings(self) -> Warnings: ...

    def line(self, index: int, request: object, path: str) -> bytes:
        """What is sent to the provider for request `index`, which is at JSON path `path`."""


def parse_line(number: int, line: bytes) -> dict[str, Any]:
    """A line as a JSON object. Raises INVALID_ARGUMENT with its number.

    A repeated member is refused, because parsers differ in which one they take.
    """
    where = f"line {number}"
    try:
        document = parse_json(line, LINE_NODES)
        repeated = repeated_member(line, document)
    except orjson.JSONDecodeError as error:
        raise invalid_argument(_why_not_json(error, number, line), path=where) from None
    if not isinstance(document, dict):
        array = isinstance(document, list) and number == 1
        raise invalid_argument(_AN_ARRAY if array else "not a JSON object", path=where)
    if repeated is not None:
        raise invalid_argument(f"{repeated[:80]!r} appears twice in one object", path=where)
    return document


def _why_not_json(error: orjson.JSONDecodeError, number: int, line: bytes) -> str:
    if not _is_utf_8(line):
        return "not UTF-8"
    if isinstance(error, TooComplex):
        return error.message
    if number == 1 and line.startswith(b"["):
        return _AN_ARRAY
    if number == 1 and line.strip() == b"{":
        return "a request must be on one line, and this one continues on the next"
    return f"not JSON: {error.msg} at column {error.colno}"


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class SeenTexts:
    """A set of texts; it stores the digests of long ones, so they take no more memory."""

    def __init__(self) -> None:
        self._seen: set[str | bytes] = set()

    def add(self, text: str) -> bool:
        """Whether the text is new."""
        count = len(self._seen)
        self._seen.add(text if len(text) <= _SHORT_TEXT else _digest(text))
        return len(self._seen) > count


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class LineFormat(Protocol):
    """Checks the lines of one file, which all have the same format."""

    name: str
    row_kind: RowKind
    endpoint: str

    def read(
        self, index: int, number: int, document: dict[str, Any], /
    ) -> tuple[bytes | None, bytes]:
        """The line to send in place of request `index`, and its row of the request table.

        None for the line as written, as in a provider's own format: parsing and rendering could
        change how a number is written. Raises INVALID_ARGUMENT with the line's number and the JSON
        path.
        """


class GeminiLines:
    """`{"key", "request"}`, or a bare request (translation.md section 7)."""

    name = "gemini"
    row_kind = RowKind.KEY

    def __init__(self, translator: RequestTranslator) -> None:
        self._translator = translator
        self._keys = SeenTexts()
        self._templates = LineTemplates(translator)
        self.endpoint = translator.endpoint

    def templated(self, index: int, number: int, line: bytes) -> tuple[bytes, bytes] | None:
        """What `read` gives, for a line that differs from an earlier one only in its texts."""
        found = self._templates.find(line)
        if found is None:
            return None
        key = self._key(found.key, number)
        return self._templates.line(index, found), render_compact(key)

    def learn(self, number: int, line: bytes) -> None:
        """Expect lines like this one, which was read."""
        self._templates.learn(line, f"line {number}: request")

    def read(self, index: int, number: int, document: dict[str, Any]) -> tuple[bytes, bytes]:
        where = f"line {number}"
        if not any(member in document for member in _KEYED):
            request, path, key = document, where, None
        else:
            refuse_beside_request(document, _KEYED, f"{where}: ")
            path, key = f"{where}: request", document.get("key")
            if "request" not in document:
                raise invalid_argument("is missing", path=path)
            request = document["request"]
        key = self._key(key, number)
        return self._translator.line(index, request, path), render_compact(key)

    def _key(self, key: object, number: int) -> str:
        if key is None:
            key = str(number)
        path = f"line {number}: key"
        if not isinstance(key, str):
            raise invalid_argument("a key is a string", path=path)
        if len(key.encode()) > LINE_KEY:
            raise invalid_argument(f"a key has at most {LINE_KEY} bytes", path=path)
        if not self._keys.add(key):
            raise invalid_argument(f"the key {key[:80]!r} is on another line too", path=path)
        return key


@dataclass(frozen=True, slots=True)
class LineFormats:
    """The two formats that one provider accepts; `is_native` recognises its own, called `name`.

    `native` creates a checker of its own format for the lines of one file.
    """

    name: str
    is_native: Callable[[Mapping[str, Any]], bool]
    native: Callable[[], LineFormat]

    def recognise(self, first: Mapping[str, Any], translator: RequestTranslator) -> LineFormat:
        """The format of a file, recognised by its first line."""
        return self.native() if self.is_native(first) else GeminiLines(translator)

    def check(self, document: Mapping[str, Any], expected: LineFormat, number: int) -> None:
        """Raises INVALID_ARGUMENT for a line in another format than the file's first."""
        found = self._name(document)
        if found != expected.name:
            # The first line may be in either format.
            other = found == _UNKNOWN and number == 1
            wanted = f"{GeminiLines.name} or {self.name}" if other else expected.name
            raise invalid_argument(
                f"this line is in {found} format, where {wanted} format is expected",
                path=f"line {number}",
            )

    def _name(self, document: Mapping[str, Any]) -> str:
        if self.is_native(document):
            return self.name
        if _GEMINI_MEMBERS & document.keys():
            return GeminiLines.name
        # Reading it as Gemini's says which member was probably meant.
        first = islice(document, _MEMBERS_COMPARED)
        misspelt = any(is_misspelt(name, _GEMINI_MEMBERS) for name in first)
        return GeminiLines.name if misspelt else _UNKNOWN


def check_custom_id(
    custom_id: object, seen: SeenTexts, number: int, member: str, longest: int | None = None
) -> str:
    """The id of a line in a provider's own format, which names its result.

    `member` is the provider's name for it, `longest` the provider's limit in characters.
    """
    path = f"line {number}: {member}"
    if not isinstance(custom_id, str) or not 0 < len(custom_id.encode()) <= CUSTOM_ID:
        raise invalid_argument(f"a string of 1 to {CUSTOM_ID} bytes is needed", path=path)
    if not seen.add(custom_id):
        raise invalid_argument("is on another line too", path=path)
    if longest is not None and len(custom_id) > longest:
        raise invalid_argument(f"must have at most {longest} characters", path=path)
    return custom_id


class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def repeated_member(text: bytes, document: object) -> str | None:
    """The first member name that appears twice in one object of `text`; None if there is none.

    `document` is the parsed `text`.
    """
    # Each member has a colon, and the document lacks a repeated one. Counting colons takes a
    # hundredth of the time of a second parsing.
    if render_json(document).count(b":") == text.count(b":") and _ESCAPED not in text:
        return None
    try:
        json.loads(text, object_pairs_hook=_unrepeated, parse_int=str, parse_float=str)
    except _Repeated as found:
        return found.name
    return None


def _unrepeated(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Repeated(name)
        seen.add(name)
