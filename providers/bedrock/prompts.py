"""Prompts to the models of Bedrock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from providers.aws.client import AwsClient
from providers.aws.errors import redact
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.file_references import explained
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.converse_stream import ClaudeStream, ConverseStream, Event
from providers.bedrock.content.generate_to_bedrock import to_bedrock
from providers.bedrock.content.prompt_cache import cache_of
from providers.bedrock.content.result_from_bedrock import asked_for_thoughts, echoed, from_model
from providers.bedrock.event_stream import typed_events
from providers.bedrock.jobs.job_media import Media
from providers.bedrock.runtime import STREAMED, WHOLE, invoke, request_id
from providers.credential import Caller
from providers.gemini_content.media import INLINE
from providers.gemini_content.service_tier import take_service_tier
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.limits import UPSTREAM_ANSWER
from providers.memory import MemoryBudget
from providers.prompt_cache import CacheLife, requested_cache
from providers.prompts.stream import StreamReader, translated
from providers.prompts.translation import from_provider, to_provider
from providers.resources import AnswerStream, Generated, Prompt
from providers.retries import Retries
from providers.upstream import Reply, invalid_answer

_SERVICE_TIERS: Final = {"STANDARD": "default", "FLEX": "flex", "PRIORITY": "priority"}
_INVALID: Final = "ValidationException"
_TIER_HEADER: Final = "X-Amzn-Bedrock-Service-Tier"
_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"


class BedrockPrompts:
    """Implements `providers.provider.Prompts`."""

    def __init__(
        self,
        client: AwsClient,
        s3: S3,
        targets: AwsTargets,
        memory: MemoryBudget,
        retries: Retries,
        cache: CacheLife | None,
    ) -> None:
        self._client = client
        self._s3 = s3
        self._targets = targets
        self._memory = memory
        self._retries = retries
        self._cache = cache

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        translation = await self._translation(caller, prompt)
        sent = await to_provider(self._memory, prompt, translation.to_model)
        async with await self._begin(WHOLE, translation, sent.body) as reply:
            answer = await reply.read(UPSTREAM_ANSWER)
        translate = partial(translation.from_model, request_id(reply))
        document = await from_provider(self._client.name, answer, translate)
        return Generated(document, sent.warnings)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        translation = await self._translation(caller, prompt)
        sent = await to_provider(self._memory, prompt, translation.to_model)
        reply = await self._begin(STREAMED, translation, sent.body)
        if reply.headers.get("Content-Type") != _EVENT_STREAM:
            await reply.aclose()
            raise invalid_answer(f"{self._client.name} did not answer with a stream")
        secrets = (await translation.target.keys()).secrets()
        reader = translation.reader(request_id(reply))
        chunks = translated(typed_events(reply.chunks()), reader, partial(redact, secrets), _parsed)
        return AnswerStream(chunks, sent.warnings, reply.aclose)

    async def _translation(self, caller: Caller, prompt: Prompt) -> "_Translation":
        cache = cache_of(prompt.model, requested_cache(caller), self._cache)
        return _Translation(prompt, await self._targets.of(caller), cache)

    async def _begin(
        self, verbs: Mapping[InvocationType, str], translation: "_Translation", body: bytes
    ) -> Reply:
        """It is sent again only if nothing of it was: an answer costs money."""
        model, verb = translation.prompt.model, verbs[translation.invocation]
        headers = translation.headers
        call = partial(invoke, self._client, translation.target, model, verb, body, headers=headers)
        async with explained(
            lambda refused: bool(translation.media.paths) and refused.reason == _INVALID,
            partial(translation.media.check, self._s3, translation.target),
            f". If the model reads no files from S3, send them {INLINE}",
        ):
            return await self._retries.unsent(call)


def _parsed(_: Event) -> bytes:
    """The text that is still to be parsed: none, as botocore has parsed the event."""
    return b""


@dataclass(slots=True)
class _Translation:
    """Of one prompt. `read` is the part of what was sent that its answer depends on.

    `headers` are what the call needs besides the body.
    """

    prompt: Prompt
    target: AwsTarget
    cache: CacheLife | None
    invocation: InvocationType = InvocationType.CONVERSE
    read: object = None
    headers: dict[str, str] = field(default_factory=dict)
    media: Media = field(init=False)

    def __post_init__(self) -> None:
        self.media = Media(self.target.folder, None, self.prompt.file_of_uri)

    def to_model(self, request: dict[str, Any], warnings: Warnings) -> dict[str, Any]:
        tier = take_service_tier(request, _SERVICE_TIERS, "Bedrock")
        self.invocation, body = to_bedrock(
            request,
            model=self.prompt.model,
            path="",
            warnings=warnings,
            media_uri=self.media.uri,
            cache=self.cache,
        )
        self.read = echoed(body).get("modelInput")
        if tier is None:
            return body
        if self.invocation is InvocationType.CONVERSE:
            return body | {"serviceTier": {"type": tier}}
        self.headers[_TIER_HEADER] = tier
        return body

    def from_model(self, answer_id: str, answer: dict[str, Any]) -> dict[str, Any]:
        document = from_model(answer, self.read, self.invocation)
        return present({"modelVersion": self.prompt.model, "responseId": answer_id or None}) | (
            document
        )

    def reader(self, answer_id: str) -> StreamReader[Event]:
        if self.invocation is InvocationType.INVOKE_MODEL:
            return ClaudeStream()
        thoughts = asked_for_thoughts(self.read)
        return ConverseStream(self.prompt.model, answer_id, thoughts=thoughts)
