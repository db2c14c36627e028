"""Objects that are written in parts, in a store without parts: each part is an object at first."""

import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from providers.body import Body, TruncatedBody
from providers.errors import FerryError
from providers.multipart_uploads import (
    MultipartUpload,
    Part,
    UploadEnded,
    check_number,
    check_whole,
)
from providers.state import State, write
from providers.stored_objects import MULTIPART, tenant_in
from proxy.object_names import check_name


class PartsAsObjects:
    """Implements `providers.multipart_uploads.MultipartUploads`.

    The object `parted/ID/begun` exists as long as the upload is open. Other objects, which a crash
    or a late part leaves behind, are deleted by age.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def begin(
        self,
        name: str,
        size: int | None = None,  # noqa: ARG002 - of any size
    ) -> MultipartUpload:
        # The tenant is in the id, so that the sweep can count what it stores.
        upload = MultipartUpload(check_name(name), f"{tenant_in(name)}{secrets.token_hex(16)}")
        await write(self._state, _begun(upload), b"")
        return upload

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        name = _part(upload, check_number(number))
        await self._expect_open(upload)
        await self._state.create(name, body)

    async def parts(self, upload: MultipartUpload, after: int = 0) -> AsyncIterator[Part]:
        await self._expect_open(upload)
        async for info in self._state.list(_parts(upload), _part(upload, after)):
            yield Part(int(info.name.rpartition("/")[2]), info.size)

    async def complete(self, upload: MultipartUpload, size: int) -> None:
        try:
            await self._create(upload, size)
        except (FerryError, TruncatedBody):
            # Another call completed it, before this one or while this one read the parts.
            if await self._state.head(upload.name) is None:
                raise
        await self.abort(upload)

    async def abort(self, upload: MultipartUpload) -> None:
        await self._state.delete(_begun(upload))
        async for info in self._state.list(_parts(upload)):
            await self._state.delete(info.name)

    async def abort_before(self, time: datetime) -> None:
        async for info in self._state.list(MULTIPART.prefix):
            if info.created < time:
                await self._state.delete(info.name)

    async def unlisted(self) -> AsyncIterator[MultipartUpload]:
        return
        yield

    async def _create(self, upload: MultipartUpload, size: int) -> None:
        parts = [part async for part in self.parts(upload)]
        check_whole(parts, size)
        await self._state.create(upload.name, Body(self._joined(upload, parts), size))

    async def _joined(self, upload: MultipartUpload, parts: Sequence[Part]) -> AsyncIterator[bytes]:
        for part in parts:
            body = await self._state.get(_part(upload, part.number))
            if body is None:
                raise UploadEnded
            async for chunk in body.chunks:
                yield chunk

    async def _expect_open(self, upload: MultipartUpload) -> None:
        if await self._state.head(_begun(upload)) is None:
            raise UploadEnded


def _begun(upload: MultipartUpload) -> str:
    return MULTIPART.name(upload.id, "begun")


def _parts(upload: MultipartUpload) -> str:
    return MULTIPART.name(upload.id, "parts", "")


def _part(upload: MultipartUpload, number: int) -> str:
    return f"{_parts(upload)}{number:05}"
