"""File ids that every SDK accepts: encoded from native ids, and decoded.

Only the alphabet `[a-z0-9]+` passes through all SDKs (sdk-wire.md section 3). An id is one kind
letter, then the native id in lower-case base32 without padding.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from providers.errors import invalid_argument
from providers.limits import NATIVE_NAME, RESOURCE_ID, RESOURCE_URI, S3_KEY

# One path segment, without characters that have a meaning in URLs or names of state objects.
NATIVE_ID: Final = re.compile(rf"(?!\.+$)[A-Za-z0-9._~=-]{{1,{NATIVE_NAME}}}")
# Any text without segments `.` and `..`, which a server on the way might resolve.
OBJECT_KEY: Final = re.compile(rf"(?!(?:[\s\S]*/)?\.{{1,2}}(?:/|$))[\s\S]{{1,{S3_KEY}}}")
_QUERY: Final = re.compile(r"[?#]")
_ENCODED: Final = re.compile(r"[a-z2-7]+")
# The kind letter of an object in a bucket. Not in FileKind, because its native id is any text.
OBJECT_LETTER: Final = "o"
# The path in a file's `uri` as the proxy writes it; its host is not known here.
_OUR_URI_PATH: Final = "/v1beta/files/"


class FileKind(StrEnum):
    """The kind letter: what the encoded id identifies."""

    NATIVE = "f"
    RESULTS = "r"
    STAGED = "s"


_KINDS: Final = {kind.value: kind for kind in FileKind}


@dataclass(frozen=True, slots=True)
class FileId:
    """`native` is the provider's file id; for RESULTS the batch id, for STAGED the object's id."""

    kind: FileKind
    native: str

    def __str__(self) -> str:
        return self.kind + _encode(self.native)


def native_file_id(native: str) -> str:
    return str(FileId(FileKind.NATIVE, native))


def result_file_id(batch_id: str) -> str:
    """The id of the file of a batch's results."""
    return str(FileId(FileKind.RESULTS, batch_id))


def object_file_id(key: str) -> str:
    """The id of an object in a bucket, whose key may be any text."""
    return f"{OBJECT_LETTER}{_encode(key)}"


def decode_file_id(text: str) -> FileId | None:
    """The id that `text` encodes, or None if the proxy did not make it."""
    kind = _KINDS.get(text[:1])
    native = None if kind is None else _decode(text[1:])
    if kind is None or native is None or not NATIVE_ID.fullmatch(native):
        return None
    return FileId(kind, native)


def decode_object_id(text: str) -> str | None:
    """The key that `object_file_id` encoded as `text`; None for any other text."""
    key = _decode(text[1:]) if text[:1] == OBJECT_LETTER else None
    return key if key and OBJECT_KEY.fullmatch(key) else None


def decode_letter(text: str) -> tuple[str, str] | None:
    """The kind letter and the native id of an id that the proxy made; None for any other."""
    key = decode_object_id(text)
    if key is not None:
        return OBJECT_LETTER, key
    decoded = decode_file_id(text)
    return None if decoded is None else (decoded.kind, decoded.native)


# The standard library's base32 is slow, and the same few names are polled again and again.
@lru_cache(1024)
def _encode(native: str) -> str:
    return base64.b32encode(native.encode()).decode().rstrip("=").lower()


def _decode(encoded: str) -> str | None:
    """The decoded text; None unless `encoded` is exactly what `_encode` makes of it."""
    return _decode_short(encoded) if len(encoded) < RESOURCE_ID else None


@lru_cache(1024)
def _decode_short(encoded: str) -> str | None:
    if not _ENCODED.fullmatch(encoded):
        return None
    try:
        native = base64.b32decode(encoded.upper() + "=" * (-len(encoded) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return native if _encode(native) == encoded else None


def parse_file_id(text: str) -> FileId:
    """A file id from a client: made by the proxy, or native. Raises INVALID_ARGUMENT."""
    decoded = decode_file_id(text)
    if decoded is not None:
        return decoded
    return FileId(FileKind.NATIVE, check_native_id(text, "file"))


def check_native_id(text: str, what: str) -> str:
    if not NATIVE_ID.fullmatch(text):
        raise invalid_argument(
            f"{text[:80]!r} is not the name of a {what}: letters, digits and . _ ~ = - are"
        )
    return text


def check_length(name: str, path: str | None = None) -> None:
    """Raises INVALID_ARGUMENT for a name that is too long, before a pattern is tried on it."""
    if len(name) > RESOURCE_ID:
        raise invalid_argument(
            f"the name has {len(name)} characters, more than the {RESOURCE_ID} of the longest name",
            path=path,
        )


def file_id_of_uri(uri: str) -> str | None:
    """The id in `files/{id}`, or in a URI that ends in it; None for any other text."""
    if len(uri) > RESOURCE_URI:
        return None
    path = _QUERY.split(uri, maxsplit=1)[0]
    folder, _, last = path.rpartition("/")
    found = last.removesuffix(":download")
    in_files = folder == "files" or folder.endswith("/files")
    return found if in_files and found and ":" not in found else None


def is_written_by_us(uri: str) -> bool:
    """Whether a file's name or URI has the form that the proxy writes."""
    return uri.startswith("files/") or _OUR_URI_PATH in uri
