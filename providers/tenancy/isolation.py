"""Tenant isolation for a provider: tenants share its credential and see only what they made.

The classes here wrap the provider's own capabilities, which know nothing about tenants. A call goes
on only if the tenant has a record of ownership, and a list shows only what the tenant has one for.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from providers.batches.json_lines import LineSplitter, work_bytes
from providers.batches.repeats import Repeat
from providers.body import Body
from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.json_text import parse_object, parse_own_json
from providers.json_api.structure import TooComplex, weigh
from providers.limits import LINE_NODES
from providers.long_work import off_loop
from providers.memory import MemoryBudget
from providers.provider import Batches, Files, Provider, Uploads
from providers.resources import (
    Batch,
    Download,
    File,
    InlineResults,
    NewBatch,
    Page,
    ResultForm,
)
from providers.state import State
from providers.tenancy.isolated_prompts import IsolatedPrompts, IsolatedTokens, NamedFiles
from providers.tenancy.ownership import (
    OwnedResource,
    Ownership,
    ResourceKind,
    native_id_of,
    owned_batch,
    owned_file,
)
from providers.tenancy.references import References
from providers.tenancy.run_to_completion import run_to_completion
from providers.tenancy.tenant_lists import TenantList
from providers.upload import Chunk, StartedUpload, UploadProgress, UploadSession, UploadStart


def isolate_tenants(
    provider: Provider, state: State, splitter: LineSplitter, memory: MemoryBudget
) -> Provider:
    """`provider`, with its files and batches isolated by tenant; `splitter` reads batch inputs.

    Embeddings are of texts in the request itself, and need no isolation.
    """
    ownership = Ownership(provider.name, state)
    references = References(provider.names, owned_file)
    names = NamedFiles(ownership, references, memory)
    prompts = provider.prompts and IsolatedPrompts(provider.prompts, names)
    tokens = provider.tokens and IsolatedTokens(provider.tokens, names)
    files = provider.files and IsolatedFiles(provider.files, ownership)
    batches = provider.batches and IsolatedBatches(
        provider, provider.batches, ownership, references, state, splitter
    )
    uploads = IsolatedUploads(provider.uploads, ownership, _created_file)
    return replace(
        provider, uploads=uploads, files=files, batches=batches, prompts=prompts, tokens=tokens
    )


def _created_file(progress: UploadProgress) -> OwnedResource | None:
    return None if progress.file is None else owned_file(progress.file.id)


class IsolatedUploads:
    """Implements `providers.provider.Uploads`; `created_file` finds the file in an answer.

    The last chunk may create the file even if the client disconnects, so it runs to completion. If
    the owner cannot be recorded, the answer is an error without `final`: the SDK then sends the
    last chunk again, and the next answer shows the same file.
    """

    def __init__(
        self,
        uploads: Uploads,
        ownership: Ownership,
        created_file: Callable[[UploadProgress], OwnedResource | None],
    ) -> None:
        self._uploads = uploads
        self._ownership = ownership
        self._created_file = created_file

    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        return await self._uploads.start(caller, start)

    async def send(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        sending = self._send_and_claim(session, chunk)
        return await (run_to_completion(sending) if chunk.finalize else sending)

    async def query(self, session: UploadSession) -> UploadProgress:
        return await self._claim(session, await self._uploads.query(session))

    async def cancel(self, session: UploadSession) -> UploadProgress:
        return await self._uploads.cancel(session)

    async def _send_and_claim(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        return await self._claim(session, await self._uploads.send(session, chunk))

    async def _claim(self, session: UploadSession, progress: UploadProgress) -> UploadProgress:
        file = self._created_file(progress)
        if file is not None:
            await self._ownership.claim(session.tenant, file)
        return progress


class IsolatedFiles:
    """Implements `providers.provider.Files`."""

    def __init__(self, files: Files, ownership: Ownership) -> None:
        self._files = files
        self._ownership = ownership

    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        """Runs to completion if the client disconnects: a file without an owner would be lost."""
        return await run_to_completion(self._create_and_claim(caller, session_id, start, body))

    async def _create_and_claim(
        self, caller: Caller, session_id: str, start: UploadStart, body: Body
    ) -> File:
        """Deletes the file if its owner cannot be recorded: no tenant could use it."""
        file = await self._files.create(caller, session_id, start, body)
        try:
            await self._ownership.claim(caller.tenant, owned_file(file.id))
        except Exception:
            await self._files.delete(caller, file.id)
            raise
        return file

    async def get(self, caller: Caller, file_id: str) -> File:
        await self._check(caller, file_id)
        return await self._files.get(caller, file_id)

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        own = TenantList(
            self._ownership,
            caller.tenant,
            ResourceKind.FILES,
            partial(self._files.list, caller),
            lambda file: owned_file(file.id).key,
            lambda key: _exists(self._files.get(caller, key)),
        )
        return await own.page(page_size, page_token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        await self._check(caller, file_id)
        await self._files.delete(caller, file_id)
        resource = owned_file(file_id)
        # Deleting the file of a batch's results leaves the batch with its owner.
        if resource.kind is ResourceKind.FILES:
            await self._ownership.release(caller.tenant, resource)

    async def download(
        self, caller: Caller, file_id: str, form: ResultForm = ResultForm.GEMINI
    ) -> Download:
        await self._check(caller, file_id)
        return await self._files.download(caller, file_id, form)

    async def _check(self, caller: Caller, file_id: str) -> None:
        await self._ownership.check(caller.tenant, owned_file(file_id))


class IsolatedBatches:
    """Implements `providers.provider.Batches`."""

    def __init__(
        self,
        provider: Provider,
        batches: Batches,
        ownership: Ownership,
        references: References,
        state: State,
        splitter: LineSplitter,
    ) -> None:
        self._provider = provider
        self._batches = batches
        self._ownership = ownership
        self._state = state
        self._splitter = splitter
        self._references = references

    async def create(self, caller: Caller, batch: NewBatch) -> Batch:
        """Checks first that the requests name only files of the tenant.

        The creation runs to completion if the client disconnects: a batch without an owner would be
        lost.
        """
        if not await self._is_repeat(caller, batch):
            await self._check_requests(caller, batch)
        return await run_to_completion(self._create_and_claim(caller, batch), batch.client_left.set)

    async def _create_and_claim(self, caller: Caller, batch: NewBatch) -> Batch:
        created = await self._batches.create(caller, batch)
        resource = owned_batch(created.id)
        cancel = partial(self._batches.cancel, caller, created.id)
        key = batch.idempotency_key
        await self._ownership.claim_created(caller.tenant, resource, key, cancel)
        return created

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        await self._check(caller, batch_id)
        return await self._batches.get(caller, batch_id)

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        own = TenantList(
            self._ownership,
            caller.tenant,
            ResourceKind.BATCHES,
            partial(self._batches.list, caller),
            lambda batch: owned_batch(batch.id).key,
            lambda key: _exists(self._get_without_results(caller, native_id_of(key))),
        )
        return await own.page(page_size, page_token)

    async def _get_without_results(self, caller: Caller, batch_id: str) -> None:
        batch = await self._batches.get(caller, batch_id)
        if isinstance(batch.output, InlineResults):
            await batch.output.close()

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        await self._check(caller, batch_id)
        await self._batches.cancel(caller, batch_id)

    async def delete(self, caller: Caller, batch_id: str) -> None:
        await self._check(caller, batch_id)
        await self._batches.delete(caller, batch_id)
        await self._ownership.release(caller.tenant, owned_batch(batch_id))

    async def _check(self, caller: Caller, batch_id: str) -> None:
        await self._ownership.check(caller.tenant, owned_batch(batch_id))

    async def _is_repeat(self, caller: Caller, batch: NewBatch) -> bool:
        """Whether the key created a batch before: its input was checked then, and may be gone."""
        key = batch.idempotency_key
        if key is None:
            return False
        repeat = Repeat(self._provider.name, self._state, caller.tenant, key, batch.fingerprint)
        return await repeat.recorded() is not None

    # --- what the requests name ---

    async def _check_requests(self, caller: Caller, batch: NewBatch) -> None:
        async with aclosing(self._requests(caller, batch)) as requests:
            async for request, path in requests:
                await self._references.check(
                    request, path, partial(self._ownership.owns, caller.tenant)
                )

    async def _requests(
        self, caller: Caller, batch: NewBatch
    ) -> AsyncGenerator[tuple[Any, str], None]:
        """Every request with its JSON path."""
        if not isinstance(batch.source, str):
            for item in batch.source:
                yield parse_own_json(item.request), item.path
            return
        await self._ownership.check(caller.tenant, owned_file(batch.source))
        if owned_file(batch.source).kind is not ResourceKind.FILES or self._provider.files is None:
            return  # not a file of requests: the provider refuses it
        content = await self._provider.files.download(caller, batch.source)
        try:
            async with aclosing(self._splitter.split(content.body.chunks)) as slices:
                async for numbered in slices:
                    for number, text in numbered:
                        # A line that is no JSON object names no file; the provider's check
                        # refuses it, and one that is too complex.
                        try:
                            structure = await weigh(text, LINE_NODES)
                        except TooComplex:
                            continue
                        with self._splitter.reserve(work_bytes(structure)):
                            if structure.is_long_work:
                                yield await off_loop(parse_object, text), f"line {number}"
                            else:
                                yield parse_object(text), f"line {number}"
                    await asyncio.sleep(0)
        finally:
            await content.close()


async def _exists(call: Awaitable[object]) -> bool:
    """Whether the awaited call finds its object. Other errors than NOT_FOUND prove nothing."""
    try:
        await call
    except FerryError as error:
        return not isinstance(error, NotFound)
    return True
