"""Batches at Bedrock in the neutral model: jobs, and immediate batches for those too small."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from providers.aws.errors import is_absent
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.batch_backends import BatchBackend, FoundBatch
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.immediate.immediate_batches import ImmediateBatches
from providers.batches.immediate.job_ids import is_immediate
from providers.batches.immediate.job_list import Position, parse_position
from providers.batches.json_lines import LineSplitter
from providers.batches.repeats import Repeat
from providers.bedrock.batch_creation import BatchCreation, Creation
from providers.bedrock.content.batch_lines import line_formats
from providers.bedrock.content.native_rules import NativeRules
from providers.bedrock.input_object import InputObject
from providers.bedrock.jobs.job_batches import JobBatches
from providers.bedrock.pages import PRINTABLE, PageStart, parse_page_start
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument
from providers.json_api.client import outcome_unknown
from providers.json_api.page_tokens import decode_page_token, encode_page_token, no_token
from providers.limits import Limits
from providers.memory import MemoryBudget
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import (
    Batch,
    CreatedBatch,
    Download,
    NewBatch,
    Page,
    ResultFile,
    ResultForm,
)
from providers.state import State

# Which of the two lists a page token continues.
_IMMEDIATE = "i."
_JOBS = "j."


@dataclass(frozen=True, slots=True)
class BatchBackends:
    jobs: JobBatches
    immediate: ImmediateBatches

    def of(self, batch_id: str) -> BatchBackend:
        return self.immediate if is_immediate(batch_id) else self.jobs

    async def find(self, caller: Caller, job: str) -> Batch | None:
        """The batch that an attempt with a lost answer created under our id `job`."""
        return await self.immediate.find(caller, job) or await self.jobs.find(caller, job)


class BedrockBatches:
    """Implements `providers.provider.Batches`, and the downloads of result files.

    `name` is how the user configured the upstream.
    """

    def __init__(
        self,
        name: str,
        targets: AwsTargets,
        s3: S3,
        backends: BatchBackends,
        creation: BatchCreation,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
    ) -> None:
        self._name = name
        self._targets = targets
        self._s3 = s3
        self._backends = backends
        self._creation = creation
        self._state = state
        self._memory = memory
        self._limits = limits

    async def create(self, caller: Caller, batch: NewBatch) -> CreatedBatch:
        job = secrets.token_hex(16)
        if batch.idempotency_key is None:
            return await self._create(caller, batch, job, repeatable=False)
        repeat = Repeat(
            self._name, self._state, caller.tenant, batch.idempotency_key, batch.fingerprint
        )
        recorded = await repeat.recorded()
        if recorded is not None:
            return CreatedBatch((await self._look_up(caller, recorded)).batch)
        first = await repeat.join(job)
        earlier = None if first == job else await self._backends.find(caller, first)
        if earlier is not None:
            await repeat.record(earlier.id)
            return CreatedBatch(earlier)
        try:
            created = await self._create(caller, batch, first, repeatable=True)
        except FerryError as error:
            # Only for a first attempt: what an earlier one did is unknown.
            if first == job and error.permanent and not outcome_unknown(error):
                await repeat.forget()
            raise
        await repeat.record(created.batch.id)
        return created

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        found = await self._look_up(caller, batch_id)
        if not found.batch.state.terminal:
            return found.batch
        try:
            results = await found.results()
            inline = await results.in_order(self._memory, self._limits.inline_results)
        except FerryError as error:
            if not is_absent(error):
                raise
            return found.batch
        return replace(found.batch, output=inline or ResultFile(result_file_id(batch_id)))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """One list: first immediate batches, then Bedrock's jobs."""
        start = decode_page_token(page_token, PRINTABLE) if page_token else _IMMEDIATE
        if start.startswith(_JOBS):
            page_start = parse_page_start(start.removeprefix(_JOBS))
            return await self._jobs_page(caller, [], page_size, page_start)
        if not start.startswith(_IMMEDIATE):
            raise no_token()
        after = _position(start.removeprefix(_IMMEDIATE))
        listed = await self._backends.immediate.list(caller, after, page_size)
        batches = [batch for _, batch in listed.jobs]
        if listed.more:
            return Page(batches, encode_page_token(f"{_IMMEDIATE}{listed.last}"))
        return await self._jobs_page(caller, batches, page_size, PageStart())

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        await self._backends.of(batch_id).cancel(caller, batch_id)

    async def delete(self, caller: Caller, batch_id: str) -> None:
        await self._backends.of(batch_id).delete(caller, batch_id)

    async def ended(self, caller: Caller, batch_id: str) -> Batch:
        """The batch whose results a file id names. Raises NOT_FOUND if it has no results."""
        found = await self._look_up(caller, batch_id)
        await found.results()
        return found.batch

    async def download(self, caller: Caller, batch_id: str, form: ResultForm) -> Download:
        """The results as JSON lines, translated while read, or in Bedrock's own format."""
        results = await (await self._look_up(caller, batch_id)).results()
        return await results.download(self._memory, form)

    async def delete_results(self, caller: Caller, batch_id: str) -> None:
        await self._backends.of(batch_id).delete_results(caller, batch_id)

    async def _look_up(self, caller: Caller, batch_id: str) -> FoundBatch:
        return await self._backends.of(batch_id).look_up(caller, batch_id)

    async def _create(
        self, caller: Caller, batch: NewBatch, job: str, *, repeatable: bool
    ) -> CreatedBatch:
        target = await self._targets.of(caller)
        rules = NativeRules(target.may_read)
        source = self._input(target, batch, rules)
        creation = Creation(job, caller, target, batch, source, rules, repeatable)
        with self._memory.reserve() as reservation:
            return await self._creation.create(creation, reservation)

    def _input(self, target: AwsTarget, batch: NewBatch, rules: NativeRules) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source)
        results = decode_file_id(batch.source)
        if results is not None and results.kind is FileKind.RESULTS:
            raise invalid_argument(
                "a result file cannot be a batch's input; give a file of requests"
            )
        splitter = LineSplitter(self._limits.line, self._memory)
        opened = InputObject(self._s3, target, batch.source).opened
        return FileInput(opened, splitter, line_formats(batch.model, batch.kind, rules))

    async def _jobs_page(
        self, caller: Caller, before: Sequence[Batch], page_size: int, start: PageStart
    ) -> Page[Batch]:
        """Fill up a page that begins with the batches `before`."""
        space = page_size - len(before)
        jobs, following = await self._backends.jobs.list(caller, space or 1, start)
        if space == 0:  # the call only tells whether a page follows
            return Page(before, _jobs_token(start) if jobs else None)
        return Page([*before, *jobs], _jobs_token(following) if following else None)


def _jobs_token(start: PageStart) -> str:
    return encode_page_token(f"{_JOBS}{start}")


def _position(text: str) -> Position | None:
    """Where the list of immediate batches continues; None at its beginning."""
    try:
        return parse_position(text) if text else None
    except ValueError:
        raise no_token() from None
