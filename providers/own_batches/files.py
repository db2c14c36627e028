"""The files of a provider that keeps none: the proxy keeps all of them."""

from dataclasses import replace

from providers.batches.files_with_results import FilesWithResults
from providers.batches.target_batches import TargetBatches
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.provider import Provider
from providers.resource_names import FileKind, parse_file_id
from providers.resources import Download, File, Page
from providers.state import State
from providers.uploads.resumable import ResumableUploads
from providers.uploads.staged_files import STAGED_ID, StagedFiles
from providers.uploads.staged_uploads import StagedUploadTarget


def with_own_files(
    provider: Provider, batches: TargetBatches, staged: StagedFiles, state: State
) -> Provider:
    """`provider` with these batches and with files that the proxy keeps, in place of its own."""
    uploads = ResumableUploads(StagedUploadTarget(state, staged), state)
    letters = {**provider.names.letters, FileKind.STAGED: STAGED_ID}
    return replace(
        provider,
        names=replace(provider.names, letters=letters),
        uploads=uploads,
        files=FilesWithResults(OwnFiles(staged), batches, uploads.create),
        batches=batches,
        file_expiry=None,
    )


class OwnFiles:
    """Implements `providers.batches.files_with_results.StoredFiles`."""

    def __init__(self, staged: StagedFiles) -> None:
        self._staged = staged

    async def get(self, caller: Caller, file_id: str) -> File:
        return await self._staged.get(caller, _staged_id(file_id))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        after = decode_page_token(page_token, STAGED_ID) if page_token else ""
        files, last = await self._staged.page(caller, after, page_size)
        return Page(files, encode_page_token(last) if last else None)

    async def delete(self, caller: Caller, file_id: str) -> None:
        await self._staged.delete(caller, _staged_id(file_id))

    async def download(self, caller: Caller, file_id: str) -> Download:
        return await self._staged.download(caller, _staged_id(file_id))


def _staged_id(file_id: str) -> str:
    parsed = parse_file_id(file_id)
    if parsed.kind is not FileKind.STAGED:
        raise not_found(
            f"files/{file_id[:120]} does not exist: the proxy itself keeps the files of this "
            "provider, because it runs its batches"
        )
    return parsed.native
