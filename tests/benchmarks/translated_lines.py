"""Lines to translate, and the work that the proxy does for them, in memory and without a socket.

The lines are plain questions and answers with one text each, as most batches have, in the members
that the providers write.
"""

import hashlib
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from providers.anthropic.batch_creation import LIMITS as ANTHROPIC_LIMITS
from providers.anthropic.batch_lines import AnthropicTranslator, BatchItems
from providers.anthropic.batch_lines import line_formats as anthropic_formats
from providers.anthropic.results import from_anthropic_line, plain_anthropic_line
from providers.aws.folder import Folder
from providers.batches.batch_input import FileInput
from providers.batches.batch_results import BatchResults
from providers.batches.checked_input import JSON_LINES, InputLimits, check, translated
from providers.batches.ended_results import lines_of
from providers.batches.json_lines import LineSplitter, ResultLine, ResultSplitter
from providers.batches.line_formats import LineFormats, RequestTranslator
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.bedrock.content.batch_lines import BedrockTranslator
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.native_lines import NativeRules
from providers.bedrock.content.native_lines import line_formats as bedrock_formats
from providers.bedrock.content.result_from_bedrock import plain_bedrock_line, result_from_bedrock
from providers.bedrock.jobs.job_input import LIMITS as BEDROCK_LIMITS
from providers.bedrock.jobs.job_media import Media
from providers.body import Body, drain
from providers.memory import MemoryBudget
from providers.mistral.batch_lines import MistralTranslator
from providers.mistral.batch_lines import line_formats as mistral_formats
from providers.openai.batch_lines import OpenAITranslator
from providers.openai.batch_lines import line_formats as openai_formats
from providers.openai_content.body_to_openai import CHAT
from providers.openai_content.result_from_openai import from_openai_line, plain_openai_line
from providers.resources import BatchKind, Failure, NewBatch
from providers.spool import OpenSpool, no_spool
from providers.status import Status

_CHUNK: Final = 256 << 10
_LINE_LIMIT: Final = 20 << 20
_WORDS: Final = (
    *("the", "model", "reads", "a", "question", "and", "gives", "one", "answer", "with", "some"),
    *("detail", "because", "people", "ask", "for", "it", "in", '"quotes"', "or", "lines", "of"),
    *("code", "prose", "about", "cities", "rivers", "music", "history", "numbers", "42"),
)
_JOB: Final = "0123456789abcdef" * 2


def text(seed: int, size: int) -> str:
    """About `size` characters of prose: words, quotes, and a line break every twelve words."""
    source = random.Random(seed)
    words: list[str] = []
    length = 0
    while length < size:
        word = source.choice(_WORDS)
        words.append(word + ("\n" if len(words) % 12 == 11 else " "))
        length += len(words[-1])
    return "".join(words)[:size]


def _id(prefix: str, number: int) -> str:
    return prefix + hashlib.sha256(str(number).encode()).hexdigest()[:24]


def gemini_line(number: int, size: int) -> bytes:
    request = {
        "contents": [{"role": "user", "parts": [{"text": f"{number}: {text(number, size)}"}]}],
        "systemInstruction": {"parts": [{"text": "Answer briefly."}]},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 8192},
    }
    return orjson.dumps({"key": f"request-{number:06d}", "request": request})


def openai_result(number: int, size: int) -> bytes:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text(number, size),
        "refusal": None,
        "annotations": [],
    }
    written = size // 4
    body = {
        "id": _id("chatcmpl-", number),
        "object": "chat.completion",
        "created": 1790000000 + number,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 40 + number % 7,
            "completion_tokens": written,
            "total_tokens": 40 + number % 7 + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }
    response = {"status_code": 200, "request_id": _id("req_", number), "body": body}
    return orjson.dumps(
        {
            "id": _id("batch_req_", number),
            "custom_id": indexed_id(number),
            "response": response,
            "error": None,
        }
    )


def mistral_result(number: int, size: int) -> bytes:
    body = {
        "id": _id("", number),
        "object": "chat.completion",
        "created": 1790000000 + number,
        "model": "mistral-small-latest",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text(number, size), "tool_calls": None},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 40 + number % 7,
            "completion_tokens": size // 4,
            "total_tokens": 40 + number % 7 + size // 4,
        },
    }
    response = {"status_code": 200, "body": body}
    return orjson.dumps(
        {
            "id": _id("batch-", number),
            "custom_id": indexed_id(number),
            "response": response,
            "error": None,
        }
    )


def anthropic_result(number: int, size: int) -> bytes:
    message: dict[str, Any] = {
        "id": _id("msg_01", number),
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": text(number, size)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 40 + number % 7,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": size // 4,
            "service_tier": "batch",
        },
    }
    result = {"type": "succeeded", "message": message}
    return orjson.dumps({"custom_id": indexed_id(number, _JOB), "result": result})


def bedrock_result(number: int, size: int) -> bytes:
    question = {
        "messages": [{"role": "user", "content": [{"text": f"{number}: {text(number, 200)}"}]}],
        "inferenceConfig": {"maxTokens": 256, "temperature": 0.5},
    }
    read = 40 + number % 7
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": text(number, size)}]}},
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": read,
            "outputTokens": size // 4,
            "totalTokens": read + size // 4,
            "cacheReadInputTokens": 0,
            "cacheWriteInputTokens": 0,
        },
        "metrics": {"latencyMs": 1234},
    }
    return orjson.dumps(
        {"recordId": indexed_id(number), "modelInput": question, "modelOutput": answer}
    )


@dataclass(frozen=True, slots=True)
class Translation:
    """One provider: a line of its results, and how its input and results are translated."""

    result: Callable[[int, int], bytes]
    id_member: str
    plain: Callable[[dict[str, Any]], dict[str, Any] | None]
    from_line: Callable[[dict[str, Any]], dict[str, Any]]
    formats: Callable[[], LineFormats]
    translator: Callable[[], RequestTranslator]
    limits: InputLimits


def _batch(model: str) -> NewBatch:
    return NewBatch(model=model, kind=BatchKind.GENERATE, source=[])


def _no_objects(_: str) -> bool:
    return False


def _bedrock_translator() -> BedrockTranslator:
    media = Media(Folder("bucket", "files"), None)
    return BedrockTranslator(
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        BatchKind.GENERATE,
        InvocationType.CONVERSE,
        media.uri,
    )


TRANSLATIONS: Final = {
    "openai": Translation(
        openai_result,
        "custom_id",
        lambda line: plain_openai_line(line, CHAT),
        lambda line: from_openai_line(line, CHAT),
        lambda: openai_formats("gpt-4o-mini", BatchKind.GENERATE),
        lambda: OpenAITranslator("gpt-4o-mini", BatchKind.GENERATE),
        InputLimits("OpenAI", 10**6, 10**10),
    ),
    "anthropic": Translation(
        anthropic_result,
        "custom_id",
        plain_anthropic_line,
        from_anthropic_line,
        lambda: anthropic_formats(BatchItems()),
        lambda: AnthropicTranslator("claude-haiku-4-5", _JOB, BatchItems(), 4096),
        ANTHROPIC_LIMITS,
    ),
    "bedrock": Translation(
        bedrock_result,
        "recordId",
        lambda line: plain_bedrock_line(line, InvocationType.CONVERSE),
        lambda line: result_from_bedrock(line, InvocationType.CONVERSE),
        lambda: bedrock_formats(
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            BatchKind.GENERATE,
            NativeRules(_no_objects),
        ),
        _bedrock_translator,
        BEDROCK_LIMITS,
    ),
    "mistral": Translation(
        mistral_result,
        "custom_id",
        lambda line: plain_openai_line(line, CHAT),
        lambda line: from_openai_line(line, CHAT),
        lambda: mistral_formats(_batch("mistral-small-latest")),
        lambda: MistralTranslator(_batch("mistral-small-latest")),
        InputLimits("Mistral", 10**6, 10**10),
    ),
}


@dataclass(slots=True)
class _Results:
    """Implements `providers.batches.batch_results.ResultLines` over lines in memory."""

    translation: Translation
    data: bytes
    memory: MemoryBudget
    id_member: str = field(init=False)

    def __post_init__(self) -> None:
        self.id_member = self.translation.id_member

    def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        return lines_of(self._files(), ResultSplitter(_LINE_LIMIT, self.memory))

    async def _files(self) -> AsyncGenerator[Body, None]:
        yield Body(_chunks(self.data), None)

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        return self.translation.plain(line)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return self.translation.from_line(line)

    def missing(self, _: int, /) -> Failure:
        return Failure(Status.INTERNAL, "no line names this request")


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


def table_of(lines: Sequence[bytes]) -> RequestTable:
    keys = [orjson.dumps(f"request-{number:06d}") for number in range(len(lines))]
    return RequestTable(RowKind.KEY, keys)


async def translate_results(translation: Translation, table: RequestTable, data: bytes) -> int:
    """Translate result lines as a download does; the number of bytes that come out."""
    memory, size = MemoryBudget(), 0
    with memory.reserve() as reservation:
        source = _Results(translation, data, memory)
        async for chunk in BatchResults(source, table, reservation).lines():
            size += len(chunk)
    return size


async def create(translation: Translation, data: bytes, open_spool: OpenSpool = no_spool) -> int:
    """Check and translate a file of Gemini lines as a creation does; the bytes for the provider."""
    memory = MemoryBudget()

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        yield _chunks(data)

    source = FileInput(opened, LineSplitter(_LINE_LIMIT, memory), translation.formats())
    async with open_spool() as spool:
        with memory.reserve() as reservation:
            checked = await check(
                source, translation.translator(), translation.limits, JSON_LINES, reservation, spool
            )
        body = translated(source, translation.translator(), JSON_LINES, checked.extent)
        await drain(body)
    return checked.length
