"""Files at Bedrock in the neutral model: objects in S3 and results of batches."""

import asyncio
from collections.abc import Sequence
from typing import Final

from providers.aws.folder import Folder
from providers.aws.s3 import S3, StoredObject
from providers.aws.target import AwsTargets
from providers.bedrock.object_files import (
    from_object,
    is_batch_object,
    key_of,
    no_such_file,
)
from providers.bedrock.pages import Follows, Listed, filled_page, page_start_of
from providers.body import Body
from providers.credential import Caller
from providers.errors import NotFound
from providers.json_api.page_tokens import encode_page_token
from providers.resource_names import (
    OBJECT_KEY,
    decode_object_id,
    object_file_id,
)
from providers.resources import Download, File, Page

# S3 lists no metadata, so each file on a page takes one call.
_CALLS_AT_ONCE: Final = 16


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

        start = page_start_of(page_token)
        shown, following = await filled_page(fetch, page_size, start, _in_the_order_of_keys)
        found = await asyncio.gather(*map(described, shown))
        files = [from_object(stored, folder) for stored in found if stored is not None]
        return Page(files, encode_page_token(str(following)) if following else None)

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
            Body(reply.chunks(), int(length) if length else None),
            reply.headers.get("Content-Type", "application/octet-stream"),
            reply.aclose,
        )


def _listed(stored: StoredObject, folder: Folder) -> Listed[StoredObject]:
    """Hidden are the proxy's own objects for batches and the folder markers of S3's console."""
    name = stored.key.removeprefix(folder.prefix)
    named = bool(OBJECT_KEY.fullmatch(name)) and not name.endswith("/")
    shown = named and not is_batch_object(name)
    return Listed(object_file_id(name), stored if shown else None)


def _in_the_order_of_keys(after: str) -> Follows:
    """S3's order: by the UTF-8 bytes of the keys."""
    last = (decode_object_id(after) or "").encode()
    return lambda listed: (decode_object_id(listed) or "").encode() > last
