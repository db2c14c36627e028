"""Files for Anthropic: those that the proxy keeps, and those at Anthropic."""

from collections.abc import Sequence

from providers.anthropic.client import CURSOR, listed_page
from providers.credential import Caller
from providers.json_api.answer_shape import count_or_none, text_or_none, time_or_none
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import decode_page_token, encode_page_token, no_token
from providers.resource_names import FileKind, native_file_id, parse_file_id
from providers.resources import Download, File, Page
from providers.uploads.native_files import FileRecord, FileRecords
from providers.uploads.staged_files import STAGED_ID, StagedFiles

# The list in which a page token continues.
_STAGED = "s."
_NATIVE = "n."


class AnthropicFiles:
    """Implements `providers.batches.files_with_results.StoredFiles`."""

    def __init__(self, client: JsonApi, records: FileRecords, staged: StagedFiles) -> None:
        self._client = client
        self._records = records
        self._staged = staged

    async def get(self, caller: Caller, file_id: str) -> File:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.STAGED:
            return await self._staged.get(caller, parsed.native)
        native = await self._client.get(caller, f"v1/files/{parsed.native}")
        return from_anthropic_file(native, await self._records.read(parsed.native))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        """One list: first the files that the proxy keeps, then those at Anthropic."""
        place = decode_page_token(page_token, CURSOR) if page_token else _STAGED
        if place.startswith(_NATIVE):
            return await self._native_page(caller, [], page_size, place.removeprefix(_NATIVE))
        before = place.removeprefix(_STAGED)
        # A client can send any place, and the state store is asked for what follows this one.
        if not (place == _STAGED or (place.startswith(_STAGED) and STAGED_ID.fullmatch(before))):
            raise no_token()
        files, last = await self._staged.page(caller, before, page_size)
        if last is not None:
            return Page(files, encode_page_token(f"{_STAGED}{last}"))
        return await self._native_page(caller, files, page_size, "")

    async def _native_page(
        self, caller: Caller, before: Sequence[File], page_size: int, cursor: str
    ) -> Page[File]:
        """The rest of a page that begins with the files `before`."""
        space = page_size - len(before)
        listed, following = await listed_page(self._client, caller, "v1/files", space or 1, cursor)
        if space == 0:  # the call only shows whether another page follows
            return Page(before, encode_page_token(_NATIVE) if listed else None)
        records = await self._records.read_all(listed)
        files = [from_anthropic_file(n, record) for n, record in zip(listed, records, strict=True)]
        token = encode_page_token(f"{_NATIVE}{following}") if following else None
        return Page([*before, *files], token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.STAGED:
            await self._staged.delete(caller, parsed.native)
        else:
            await self._client.delete(caller, f"v1/files/{parsed.native}")
            await self._records.delete(parsed.native)

    async def download(self, caller: Caller, file_id: str) -> Download:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.STAGED:
            return await self._staged.download(caller, parsed.native)
        # Anthropic decides which files can be downloaded and explains refusals.
        return await self._client.download(caller, f"v1/files/{parsed.native}/content")


def from_anthropic_file(native: Answer, record: FileRecord | None) -> File:
    """Read a file object. Its own names are used only for files that another tool uploaded."""
    names = record or FileRecord("")
    return File(
        id=native_file_id(native.id),
        display_name=names.display_name or text_or_none(native.get("filename")) or None,
        mime_type=names.mime_type or text_or_none(native.get("mime_type")) or None,
        size=count_or_none(native.get("size_bytes")),
        create_time=time_or_none(native.get("created_at")),
        expiration_time=time_or_none(native.get("expires_at")),
        downloadable=native.get("downloadable") is True,
    )
