"""Files at Bedrock: objects in S3, their names and metadata."""

import asyncio
import base64
import re
import secrets
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from providers.aws.folder import Folder
from providers.aws.s3 import METADATA_PREFIX, S3, StoredObject
from providers.aws.target import AwsTargets
from providers.bedrock.pages import Follows, Listed, filled_page
from providers.body import Body
from providers.credential import Caller
from providers.errors import FerryError, NotFound, invalid_argument, not_found
from providers.json_api.answer_shape import written_count
from providers.limits import Limit
from providers.resource_names import (
    OBJECT_KEY,
    decode_object_id,
    object_file_id,
)
from providers.resources import Download, File, Page
from providers.upload import UploadStart, suffix

JOBS: Final = "genai-ferry"
"""The folder, in a caller's own, for the proxy's objects of batches; it is not listed."""

DISPLAY_NAME: Final = "display-name"

# bedrock.md section 5: all user metadata together, with names, in ASCII.
METADATA_LIMIT: Final = Limit(2048, "bytes", "a file's metadata in S3")
_PLAIN_NAME: Final = re.compile(r"(?!=\?)[!-~]+(?: [!-~]+)*")
_CONTENT_TYPE: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
BATCH_SUFFIX: Final = ".jsonl"
_STEM: Final = re.compile(r"[a-z2-7]{24}")
SAFE_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,16}")
_ANY_TYPE: Final = "application/octet-stream"
# S3 lists no metadata, so each file on a page takes one call.
_CALLS_AT_ONCE: Final = 16


def new_name(start: UploadStart) -> str:
    """A unique name for a new object in its folder.

    Bedrock reads a batch only from names that end in `.jsonl` (bedrock.md section 3).
    """
    ending = suffix(start.file_name) or suffix(start.display_name)
    if start.batch_input:
        ending = BATCH_SUFFIX
    stem = base64.b32encode(secrets.token_bytes(15)).decode().lower()
    return stem + (ending if SAFE_SUFFIX.fullmatch(ending) else ".bin")


def is_new_name(name: str) -> bool:
    """Whether `new_name` may have made `name`: we abort only our own uploads."""
    stem, _, _ = name.partition(".")
    return _STEM.fullmatch(stem) is not None and "/" not in name


def object_headers(display_name: str, mime_type: str) -> dict[str, str]:
    """The headers that create an object. Raises INVALID_ARGUMENT for what S3 cannot keep."""
    headers = {"Content-Type": mime_type or _ANY_TYPE}
    if not _CONTENT_TYPE.fullmatch(headers["Content-Type"]):
        raise invalid_argument("a content type must be ASCII", path="file.mimeType")
    if display_name:
        encoded = encode_text(display_name)
        if len(DISPLAY_NAME) + len(encoded) > METADATA_LIMIT:
            raise invalid_argument(
                f"too long: S3 keeps {METADATA_LIMIT} bytes of metadata, and this display name "
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


def key_of(file_id: str, folder: Folder, path: str | None = None) -> str:
    """The key for a client's file id: one of our ids, or itself a key below the folder.

    Raises INVALID_ARGUMENT, with the JSON path, if it cannot name a file.
    """
    name = decode_object_id(file_id) or file_id
    if not OBJECT_KEY.fullmatch(name) or is_batch_object(name):
        raise invalid_argument(f"{file_id[:80]!r} is not the name of a file", path=path)
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


class BedrockFiles:
    """Implements `providers.batches.files_with_results.StoredFiles`."""

    def __init__(self, targets: AwsTargets, s3: S3) -> None:
        self._targets = targets
        self._s3 = s3

    async def get(self, caller: Caller, file_id: str) -> File:
        target = await self._targets.of(caller)
        stored = await self._s3.head(target, target.folder.bucket, key_of(file_id, target.folder))
        if stored is None:
            raise no_such_file(file_id)
        return from_object(stored, target.folder)

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        target = await self._targets.of(caller)
        folder, calls = target.folder, asyncio.Semaphore(_CALLS_AT_ONCE)

        async def described(listed: StoredObject) -> StoredObject | None:
            async with calls:
                return await self._s3.head(target, folder.bucket, listed.key)

        async def fetch(token: str | None) -> tuple[Sequence[Listed[StoredObject]], str | None]:
            page, following = await self._s3.page(target, folder, token=token)
            return [_listed(found, folder) for found in page], following

        async def visible(
            listed: Sequence[Listed[StoredObject]],
        ) -> Sequence[Listed[StoredObject]]:
            return [each for each in listed if _is_visible(each.item, folder)]

        shown, next_token = await filled_page(
            fetch, page_size, page_token, _in_the_order_of_keys, visible
        )
        found = await asyncio.gather(*map(described, shown))
        files = [from_object(stored, folder) for stored in found if stored is not None]
        return Page(files, next_token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        target = await self._targets.of(caller)
        bucket, key = target.folder.bucket, key_of(file_id, target.folder)
        if await self._s3.head(target, bucket, key) is None:  # DELETE succeeds without an object
            raise no_such_file(file_id)
        await self._s3.delete(target, bucket, key)

    async def download(self, caller: Caller, file_id: str) -> Download:
        target = await self._targets.of(caller)
        key = key_of(file_id, target.folder)
        try:
            reply = await self._s3.open(target, target.folder.bucket, key)
        except NotFound:
            raise no_such_file(file_id) from None
        length = reply.headers.get("Content-Length")
        return Download(
            Body(reply.chunks(), written_count(length) if length else None),
            reply.headers.get("Content-Type", "application/octet-stream"),
            reply.aclose,
        )


def _listed(stored: StoredObject, folder: Folder) -> Listed[StoredObject]:
    return Listed(object_file_id(stored.key.removeprefix(folder.prefix)), stored)


def _is_visible(stored: StoredObject, folder: Folder) -> bool:
    """Hidden are the proxy's own objects for batches and the folder markers of S3's console."""
    name = stored.key.removeprefix(folder.prefix)
    named = bool(OBJECT_KEY.fullmatch(name)) and not name.endswith("/")
    return named and not is_batch_object(name)


def _in_the_order_of_keys(after: str) -> Follows:
    """S3's order: by the UTF-8 bytes of the keys."""
    last = (decode_object_id(after) or "").encode()
    return lambda listed: (decode_object_id(listed) or "").encode() > last
