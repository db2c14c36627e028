from typing import Any
from unittest.mock import patch

import orjson
import pytest

from providers.errors import FerryError
from providers.json_lines import LineSplitter
from providers.memory import MemoryBudget
from providers.openai.batch_input import BatchInput, FileInput, InlineInput, check, translated
from providers.openai.batch_lines import RequestTranslator
from providers.request_table import RowKind
from providers.resources import BatchKind, InlineRequest
from tests.test_providers.streams import collect
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream
from tests.test_providers.test_openai.answering import CALLER, answer, client

MODEL = "gpt-4o-mini"
LIMITS = "providers.openai.batch_input"


def asking(text: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": text}]}]}


def lines_of(*documents: object) -> bytes:
    return b"\n".join(orjson.dumps(document) for document in documents)


def keyed(count: int) -> bytes:
    return lines_of(*({"key": f"k{n}", "request": asking("hi")} for n in range(count)))


def in_file(upstream: ScriptedUpstream) -> FileInput:
    splitter = LineSplitter(1000, MemoryBudget())
    return FileInput(client(upstream), CALLER, "file-a", splitter)


def inline(count: int) -> InlineInput:
    requests = [
        InlineRequest(lines_of(asking("hi")), b'{"a":"b"}' if n else b"null", f"requests[{n}]")
        for n in range(count)
    ]
    return InlineInput(requests)


def translator() -> RequestTranslator:
    return RequestTranslator(MODEL, BatchKind.GENERATE)


async def refusal(source: BatchInput) -> FerryError:
    memory = MemoryBudget(1 << 20)
    with memory.reserve() as reservation, pytest.raises(FerryError) as caught:
        await check(source, translator(), reservation)
    memory.take(1 << 20)
    assert caught.value.status == "INVALID_ARGUMENT"
    return caught.value


async def test_a_file_is_counted_and_then_sent() -> None:
    upstream = ScriptedUpstream(*[answer(b"\xef\xbb\xbf" + keyed(3))] * 2)
    source = in_file(upstream)
    with MemoryBudget().reserve() as reservation:
        checked = await check(source, translator(), reservation)
    assert (checked.table.kind, checked.table.rows) == (RowKind.KEY, [b'"k0"', b'"k1"', b'"k2"'])
    assert not checked.native
    body = translated(source, translator(), checked.length)
    sent = await collect(aiter(body.chunks))
    assert len(sent) == body.length
    ids = [orjson.loads(line)["custom_id"] for line in sent.splitlines()]
    assert ids == ["r0000000000", "r0000000001", "r0000000002"]
    assert upstream.done


async def test_inline_requests_keep_their_metadata() -> None:
    source = inline(2)
    with MemoryBudget().reserve() as reservation:
        checked = await check(source, translator(), reservation)
    assert (checked.table.kind, checked.table.rows) == (RowKind.METADATA, [b"null", b'{"a":"b"}'])
    sent = await collect(aiter(translated(source, translator(), checked.length).chunks))
    assert len(sent) == checked.length


async def test_a_native_file_is_not_translated() -> None:
    body = {"model": MODEL}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": body}
    with MemoryBudget().reserve() as reservation:
        upstream = ScriptedUpstream(answer(lines_of(line)))
        checked = await check(in_file(upstream), translator(), reservation)
    assert (checked.native, checked.endpoint, checked.length) == (True, "/v1/responses", 0)


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
async def test_a_file_that_is_wrong_is_let_go_at_once(data: bytes, path: str | None) -> None:
    upstream = ScriptedUpstream(answer(data))
    error = await refusal(in_file(upstream))
    assert error.path == path
    assert upstream.done


async def test_the_most_requests() -> None:
    with patch(f"{LIMITS}.REQUEST_LIMIT", 3):
        with MemoryBudget().reserve() as reservation:
            assert len((await check(inline(3), translator(), reservation)).table) == 3
        assert "at most 3 requests" in (await refusal(inline(4))).message


async def test_the_most_bytes() -> None:
    with MemoryBudget().reserve() as reservation:
        length = (await check(inline(3), translator(), reservation)).length
    with patch(f"{LIMITS}.INPUT_LIMIT", length - 1):
        assert "bytes" in (await refusal(inline(3))).message


async def test_the_table_draws_on_the_budget() -> None:
    memory = MemoryBudget(200)
    upstream = ScriptedUpstream(answer(keyed(3)))
    with memory.reserve() as reservation, pytest.raises(FerryError) as caught:
        await check(in_file(upstream), translator(), reservation)
    assert caught.value.code == 429
    assert upstream.done
    memory.take(200)


async def test_a_translation_that_is_given_up_lets_its_file_go() -> None:
    upstream = ScriptedUpstream(answer(keyed(3)))
    with patch(f"{LIMITS}._SLICE_BYTES", 10):
        chunks = translated(in_file(upstream), translator(), 1).chunks
        assert await anext(aiter(chunks))
    assert not upstream.done
    await chunks.aclose()  # type: ignore[attr-defined]
    assert upstream.done
