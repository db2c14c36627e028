"""Objects below a folder as files: their names and metadata."""

import base64
import re
import secrets
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from providers.aws.folder import Folder
from providers.aws.s3 import METADATA_PREFIX, StoredObject
from providers.errors import FerryError, invalid_argument, not_found
from providers.resource_names import OBJECT_KEY, decode_object_id, object_file_id
from providers.resources import File
from providers.upload import UploadStart, is_batch_input, suffix

JOBS: Final = "genai-ferry"
"""The folder, in a caller's own, for the proxy's objects of batches; it is not listed."""

DISPLAY_NAME: Final = "display-name"

# bedrock.md section 5: all user metadata together, with names, in ASCII.
_METADATA_BYTES: Final = 2048
_PLAIN_NAME: Final = re.compile(r"(?!=\?)[!-~]+(?: [!-~]+)*")
_CONTENT_TYPE: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
BATCH_SUFFIX: Final = ".jsonl"
SAFE_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,16}")
_ANY_TYPE: Final = "application/octet-stream"


def new_name(start: UploadStart) -> str:
    """A unique name for a new object in its folder.

    Bedrock reads a batch only from names that end in `.jsonl` (bedrock.md section 3).
    """
    ending = suffix(start.file_name) or suffix(start.display_name)
    if is_batch_input(start):
        ending = BATCH_SUFFIX
    stem = base64.b32encode(secrets.token_bytes(15)).decode().lower()
    return stem + (ending if SAFE_SUFFIX.fullmatch(ending) else ".bin")


def is_new_name(name: str) -> bool:
    """Whether `new_name` may have made `name`: we abort only our own uploads."""
    stem, _, _ = name.partition(".")
    return re.fullmatch(r"[a-z2-7]{24}", stem) is not None and "/" not in name


def object_headers(display_name: str, mime_type: str) -> dict[str, str]:
    """The headers that create an object. Raises INVALID_ARGUMENT for what S3 cannot keep."""
    headers = {"Content-Type": mime_type or _ANY_TYPE}
    if not _CONTENT_TYPE.fullmatch(headers["Content-Type"]):
        raise invalid_argument("a content type must be ASCII", path="file.mimeType")
    if display_name:
        encoded = encode_text(display_name)
        if len(DISPLAY_NAME) + len(encoded) > _METADATA_BYTES:
            raise invalid_argument(
                f"too long: S3 keeps {_METADATA_BYTES} bytes of metadata, and this display name "
                f"needs {len(encoded)}",
                path="file.displayName",
            )
        headers[f"{METADATA_PREFIX}{DISPLAY_NAME}"] = encoded
    return headers


def encode_text(text: str) -> str:
    """Any text as a header value: unchanged, or in the form in which S3 shows Unicode."""
    if _PLAIN_NAME.fullmatch(text):
        return text
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


def decode_text(value: str) -> str:
    """Decode a value of `encode_text`, or of another tool by RFC 2047; others are unchanged."""
    if not value.startswith("=?"):
        return value
    try:
        parts = decode_header(value)
        return "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii")
            for part, charset in parts
        )
    except (HeaderParseError, UnicodeDecodeError, LookupError, ValueError):
        return value


def key_of(file_id: str, folder: Folder) -> str:
    """The key for a client's file id: one of our ids, or itself a key below the folder.

    Raises INVALID_ARGUMENT if it cannot name a file.
    """
    name = decode_object_id(file_id) or file_id
    if not OBJECT_KEY.fullmatch(name) or is_batch_object(name):
        raise invalid_argument(f"{file_id[:80]!r} is not the name of a file")
    return folder.prefix + name


def is_batch_object(name: str) -> bool:
    return name.startswith(f"{JOBS}/")


def from_object(stored: StoredObject, folder: Folder) -> File:
    """A file from an object; only HEAD gives a type and metadata."""
    display_name = stored.metadata.get(DISPLAY_NAME)
    return File(
        id=object_file_id(stored.key.removeprefix(folder.prefix)),
        display_name=decode_text(display_name) if display_name else None,
        mime_type=stored.content_type,
        size=stored.size,
        create_time=stored.modified,
        downloadable=True,
    )


def no_such_file(file_id: str) -> FerryError:
    return not_found(f"files/{file_id[:120]} does not exist below the S3 prefix")
