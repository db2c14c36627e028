from typing import Any
from unittest.mock import patch

import orjson
import pytest

from providers.batches.checked_input import InputLimits
from providers.batches.file_batches.target import FileBatchTarget
from providers.batches.request_table import RequestTables, RowKind
from providers.batches.target_batches import TargetBatches
from providers.body import close
from providers.errors import FerryError
from providers.memory import Limits, MemoryBudget
from providers.openai.batches import OpenAIBatchApi
from providers.openai.dialect import SERVER_DIALECT
from providers.resource_names import FileId, FileKind
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.status import Status
from providers.upstream import OutboundRequest
from tests.memory_state import MemoryState
from tests.test_providers.answering import answer
from tests.test_providers.test_gemini.scripted_upstream import (
    Answer,
    ScriptedReply,
    ScriptedUpstream,
)
from tests.test_providers.test_openai_content.answering import BASE, CALLER, client

MODEL = "gpt-4o-mini"
LIMITS = OpenAIBatchApi.limits
FILE = f"{BASE}/files/file-a"
CONTENT = f"{FILE}/content"
PURPOSE = answer({"id": "file-a", "purpose": "batch"})
"""What is asked first of an input file."""


def asking(text: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": text}]}]}


def lines_of(*documents: object) -> bytes:
    return b"\n".join(orjson.dumps(document) for document in documents)


def keyed(count: int) -> bytes:
    return lines_of(*({"key": f"k{n}", "request": asking("hi")} for n in range(count)))


def from_file() -> NewBatch:
    return NewBatch(MODEL, BatchKind.GENERATE, str(FileId(FileKind.NATIVE, "file-a")))


def inline(count: int) -> NewBatch:
    requests = [
        InlineRequest(lines_of(asking("hi")), b'{"a":"b"}' if n else b"null", f"requests[{n}]")
        for n in range(count)
    ]
    return NewBatch(MODEL, BatchKind.GENERATE, requests)


def batches(
    upstream: ScriptedUpstream, state: MemoryState | None = None, memory: MemoryBudget | None = None
) -> TargetBatches:
    limits = Limits(line=1000, inline_results=1000)
    state, memory = state or MemoryState(), memory or MemoryBudget()
    ours = client(upstream)
    target = FileBatchTarget(
        ours, OpenAIBatchApi(ours, state, SERVER_DIALECT), state, memory, limits
    )
    return TargetBatches(target, state, memory, limits)


def scripted(*answers: Answer) -> ScriptedUpstream:
    """The answers to the reading and the upload of the input, then the batch."""
    made = {"id": "batch_A", "status": "validating", "endpoint": "/v1/chat/completions"}
    return ScriptedUpstream(*answers, answer(made))


def uploaded(upstream: ScriptedUpstream) -> bytes:
    """The content of the one uploaded file."""
    [form] = [sent.body for sent in upstream.sent if str(sent.request.url) == f"{BASE}/files"]
    part = form.split(b"Content-Type: application/jsonl\r\n\r\n")[1]
    return part.partition(b"\r\n--")[0]


def created(upstream: ScriptedUpstream) -> dict[str, Any]:
    last = upstream.sent[-1]
    assert (last.request.method, str(last.request.url)) == ("POST", f"{BASE}/batches")
    document: dict[str, Any] = orjson.loads(last.body)
    return document


async def refusal(upstream: ScriptedUpstream, batch: NewBatch) -> FerryError:
    memory, state = MemoryBudget(1 << 20), MemoryState()
    with pytest.raises(FerryError) as caught:
        await batches(upstream, state, memory).create(CALLER, batch)
    memory.take(1 << 20)
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert state.objects == {}
    return caught.value


async def rows(state: MemoryState, job: str, input_file: str) -> tuple[RowKind, list[bytes]]:
    name = str(FileId(FileKind.NATIVE, input_file))
    with MemoryBudget().reserve() as reservation:
        table = await RequestTables("openai", state).read(f"{name}/{job}", reservation)
    assert table is not None
    return table.kind, table.rows


async def test_a_file_is_counted_and_then_sent() -> None:
    content = answer(b"\xef\xbb\xbf" + keyed(3))
    # The body of the form reads it a second time, and its answer comes first in the script.
    upstream, state = scripted(PURPOSE, content, answer({"id": "file-b"}), content), MemoryState()
    made = await batches(upstream, state).create(CALLER, from_file())
    assert (made.id, made.warnings) == ("batch_A", "")
    assert [str(sent.request.url) for sent in upstream.sent].count(CONTENT) == 2
    sent = uploaded(upstream)
    assert sent.endswith(b"}\n")
    lines = [orjson.loads(line) for line in sent.split(b"\n")[:-1]]
    ids = [line["custom_id"] for line in lines]
    assert ids == ["r0000000000", "r0000000001", "r0000000002"]
    document = created(upstream)
    assert (document["input_file_id"], document["endpoint"]) == ("file-b", "/v1/chat/completions")
    assert document["metadata"]["ferry_source"] == "key"
    job = document["metadata"]["ferry_job"]
    assert await rows(state, job, "file-b") == (RowKind.KEY, [b'"k0"', b'"k1"', b'"k2"'])
    assert upstream.done


async def test_inline_requests_keep_their_metadata() -> None:
    upstream, state = scripted(answer({"id": "file-b"})), MemoryState()
    await batches(upstream, state).create(CALLER, inline(2))
    assert len(uploaded(upstream).splitlines()) == 2
    document = created(upstream)
    assert document["metadata"]["ferry_source"] == "metadata"
    job = document["metadata"]["ferry_job"]
    assert await rows(state, job, "file-b") == (RowKind.METADATA, [b"null", b'{"a":"b"}'])
    assert upstream.done


async def test_a_native_file_is_not_translated() -> None:
    body = {"model": MODEL}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body}
    upstream, state = scripted(PURPOSE, answer(lines_of(line))), MemoryState()
    await batches(upstream, state).create(CALLER, from_file())
    assert [str(sent.request.url) for sent in upstream.sent] == [FILE, CONTENT, f"{BASE}/batches"]
    document = created(upstream)
    assert (document["input_file_id"], document["endpoint"]) == ("file-a", "/v1/responses")
    assert document["metadata"]["ferry_source"] == "custom_id"
    job = document["metadata"]["ferry_job"]
    assert await rows(state, job, "file-a") == (RowKind.CUSTOM_ID, [b'"a"'])
    assert upstream.done


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (keyed(2) + b"\n{", "line 3"),
        (keyed(1) + b"\n" + lines_of({"custom_id": "a", "body": {}}), "line 2"),
        (lines_of({"recordId": "a"}), "line 1"),
        (keyed(1) + b"\n" + b"x" * 1001, "line 2"),
        (b"\n\n  \n", None),
    ],
)
async def test_an_invalid_file_is_closed_at_once(data: bytes, path: str | None) -> None:
    upstream = ScriptedUpstream(PURPOSE, answer(data))
    error = await refusal(upstream, from_file())
    assert error.path == path
    assert upstream.done


async def test_the_most_requests() -> None:
    with patch.object(OpenAIBatchApi, "limits", InputLimits("OpenAI", 3, LIMITS.size)):
        await batches(scripted(answer({"id": "file-b"}))).create(CALLER, inline(3))
        error = await refusal(ScriptedUpstream(), inline(4))
    assert error.message == "OpenAI takes at most 3 requests a batch"


async def test_the_most_bytes() -> None:
    upstream = scripted(answer({"id": "file-b"}))
    await batches(upstream).create(CALLER, inline(3))
    length = len(uploaded(upstream))
    with patch.object(OpenAIBatchApi, "limits", InputLimits("OpenAI", 3, length)):
        await batches(scripted(answer({"id": "file-b"}))).create(CALLER, inline(3))
    with patch.object(OpenAIBatchApi, "limits", InputLimits("OpenAI", 3, length - 1)):
        error = await refusal(ScriptedUpstream(), inline(3))
    assert error.message == f"OpenAI takes at most {length - 1} bytes a batch"


def test_the_limits_of_openai() -> None:
    assert (LIMITS.requests, LIMITS.size) == (50_000, 209_715_200)


async def test_the_table_draws_on_the_budget() -> None:
    memory = MemoryBudget(400)
    memory.take(200)
    upstream = ScriptedUpstream(PURPOSE, answer(keyed(3)))
    with pytest.raises(FerryError) as caught:
        await batches(upstream, memory=memory).create(CALLER, from_file())
    assert caught.value.code == 429
    assert upstream.done
    memory.take(200)


class Stopping(ScriptedUpstream):
    """Reads only one chunk of the uploaded file."""

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        if request.method != "POST":
            return await super().send(request)
        assert request.body is not None
        assert not isinstance(request.body, bytes)
        chunks = aiter(request.body.chunks)
        while b"custom_id" not in await anext(chunks):
            pass
        assert not self.done
        await close(request.body)
        raise FerryError(Status.INVALID_ARGUMENT, "stopped")


async def test_an_abandoned_translation_closes_its_file() -> None:
    content = answer(keyed(3))
    upstream = Stopping(PURPOSE, content, content)
    with patch("providers.batches.checked_input._SLICE_BYTES", 10), pytest.raises(FerryError):
        await batches(upstream).create(CALLER, from_file())
    assert upstream.done
    assert len(upstream.replies) == 3
