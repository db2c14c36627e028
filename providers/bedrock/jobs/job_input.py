"""The input of a batch, checked and translated for Bedrock."""

from dataclasses import dataclass
from typing import Final

from providers.batches.batch_input import BatchInput
from providers.batches.checked_input import JSON_LINES, CheckedInput, InputLimits, check, translated
from providers.bedrock.content.batch_lines import (
    BedrockTranslator,
    check_tools_can_go,
    first_invocation,
)
from providers.bedrock.content.bedrock_models import InvocationType, ModelFamily, model_family
from providers.bedrock.content.native_lines import NativeRules, no_tools_in_a_job
from providers.bedrock.jobs.job_media import Media
from providers.body import Body
from providers.errors import FerryError
from providers.limits import Limit
from providers.memory import Reservation
from providers.prompt_cache import CacheLife
from providers.resources import NewBatch
from providers.spool import Spool

# bedrock.md section 3. Unverified: the number of records.
REQUESTS_LIMIT: Final = Limit(50_000, "requests", "a batch at Bedrock")
SIZE_LIMIT: Final = Limit(1 << 30, "bytes", "the translated input of a batch at Bedrock")
LIMITS: Final = InputLimits("Bedrock", REQUESTS_LIMIT, SIZE_LIMIT)


@dataclass(frozen=True, slots=True)
class JobInput:
    """`source` reads the requests each time; `rules` check requests in Bedrock's own format.

    `media` says where the files of the requests will be, `cache` what prompts are marked for.
    """

    batch: NewBatch
    source: BatchInput
    rules: NativeRules
    media: Media
    spool: Spool
    cache: CacheLife | None

    def translator(self, invocation: InvocationType) -> BedrockTranslator:
        return BedrockTranslator(
            model=self.batch.model,
            kind=self.batch.kind,
            invocation=invocation,
            media_uri=self.media.uri,
            cache=self.cache,
        )


@dataclass(frozen=True, slots=True)
class ReadyInput:
    """A checked input. `tools_at` is the path of its first tool, if any."""

    input: JobInput
    checked: CheckedInput
    warnings: str
    tools_at: str | None

    @property
    def invocation(self) -> InvocationType:
        return InvocationType(self.checked.endpoint)

    @property
    def count(self) -> int:
        return len(self.checked.table)

    def body(self) -> Body:
        """JSON lines `{"recordId", "modelInput"}`, translated while they are read."""
        source, extent = self.input.source, self.checked.extent
        return translated(source, self.input.translator(self.invocation), JSON_LINES, extent)


async def ready(job: JobInput, reservation: Reservation) -> ReadyInput:
    """Check the input for Converse, including tools, which only an immediate batch accepts.

    If Converse cannot express the tools, Claude's own schema is tried.
    """
    translator = job.translator(first_invocation(job.batch.model, job.batch.kind))
    try:
        return await _checked(job, translator, reservation)
    except FerryError:
        own = translator.tools_at is not None and model_family(job.batch.model)
        if own is not ModelFamily.CLAUDE:
            raise
    return await _checked(job, job.translator(InvocationType.INVOKE_MODEL), reservation)


async def ready_for_a_job(found: ReadyInput, reservation: Reservation) -> ReadyInput:
    """`found`, or the same requests in the model's own schema if they have tools.

    Raises INVALID_ARGUMENT if we cannot translate to the model's own schema.
    """
    if found.tools_at is None or found.invocation is InvocationType.INVOKE_MODEL:
        return found
    if found.checked.native:
        raise no_tools_in_a_job(found.tools_at)
    check_tools_can_go(found.input.batch.model, found.tools_at)
    translator = found.input.translator(InvocationType.INVOKE_MODEL)
    return await _checked(found.input, translator, reservation)


async def _checked(
    job: JobInput, translator: BedrockTranslator, reservation: Reservation
) -> ReadyInput:
    reservation.release()  # the memory of an earlier check
    checked = await check(job.source, translator, LIMITS, JSON_LINES, reservation, job.spool)
    tools_at = translator.tools_at or job.rules.tools_at
    return ReadyInput(job, checked, translator.warnings.render(), tools_at)
