from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.batch_results import BatchResults
from providers.batches.file_batches.files import FileResultLines
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTable, RowKind, indexed_id
from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi
from providers.memory import MemoryBudget, Reservation
from providers.openai.batches import OpenAIBatchApi
from providers.openai.dialect import SERVER_DIALECT
from providers.retries import ATTEMPTS
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.answering import answer
from tests.test_providers.test_gemini.scripted_upstream import Answer as Scripted
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream
from tests.test_providers.test_openai_content.answering import CALLER, client

KEYS = ["a", "b", "c"]
BATCH = {
    "status": "completed",
    "endpoint": "/v1/chat/completions",
    "output_file_id": "file-out",
    "error_file_id": "file-err",
}


def table(kind: RowKind = RowKind.KEY) -> RequestTable:
    return RequestTable(kind, [orjson.dumps(key) for key in KEYS])


def line(custom_id: str, message: str = "m") -> bytes:
    error = {"code": "c", "message": message}
    return orjson.dumps({"custom_id": custom_id, "response": None, "error": error}) + b"\n"


def api(ours: JsonApi) -> OpenAIBatchApi:
    return OpenAIBatchApi(ours, MemoryState(), SERVER_DIALECT)


def results(upstream: ScriptedUpstream, rows: RequestTable | None, **changes: Any) -> BatchResults:
    splitter = ResultSplitter(1000, MemoryBudget())
    ours = client(upstream)
    lines = FileResultLines(ours, api(ours), CALLER, Answer(BATCH | changes), splitter)
    return BatchResults(lines, rows, Reservation(MemoryBudget()))


async def read(found: BatchResults) -> list[dict[str, Any]]:
    text = b"".join([chunk async for chunk in found.lines()])
    return [orjson.loads(each) for each in text.splitlines()]


def scripted(*files: bytes) -> ScriptedUpstream:
    return ScriptedUpstream(*[answer(data) for data in files])


async def test_output_and_errors_are_one_list_in_the_providers_order() -> None:
    upstream = scripted(line(indexed_id(2), "out"), line(indexed_id(0), "err"))
    found = await read(results(upstream, table()))
    assert [(each["key"], each["error"]["message"]) for each in found[:2]] == [
        ("c", "out"),
        ("a", "err"),
    ]
    assert (found[2]["key"], found[2]["error"]["code"]) == ("b", 13)
    assert upstream.done


JUNK = st.sampled_from([b"{}\n", b"no json\n", b"[]\n", b'{"custom_id": null}\n', line("r99")])
OURS = st.sampled_from([line(indexed_id(n)) for n in range(4)])


@given(st.lists(JUNK | OURS, max_size=8), st.lists(JUNK | OURS, max_size=8))
async def test_every_request_has_exactly_one_result(out: list[bytes], err: list[bytes]) -> None:
    upstream = scripted(b"".join(out), b"".join(err))
    found = await read(results(upstream, table()))
    assert sorted(each["key"] for each in found) == KEYS
    assert all(set(each) == {"key", "error"} for each in found)


async def test_a_second_answer_is_ignored() -> None:
    upstream = scripted(line(indexed_id(1), "first"), line(indexed_id(1), "second"))
    found = {
        each["key"]: each["error"]["message"] for each in await read(results(upstream, table()))
    }
    assert found["b"] == "first"


async def test_an_answer_longer_than_a_line_may_be_is_one_failed_item() -> None:
    upstream = scripted(
        line(indexed_id(0)) + line(indexed_id(1), "m" * (2 << 20)) + line(indexed_id(2)), b""
    )
    found = await read(results(upstream, table()))
    assert [(each["key"], each["error"]["code"]) for each in found] == [
        ("a", 2),
        ("c", 2),
        ("b", 13),
    ]
    assert "FERRY_MAX_LINE_BYTES" in found[2]["error"]["message"]


async def test_another_tools_results_are_keyed_by_custom_id() -> None:
    upstream = scripted(line("mine"), line("r0000000001"))
    found = await read(results(upstream, None))
    assert [each["key"] for each in found] == ["mine", "r0000000001"]


async def test_an_inline_request_is_identified_by_its_number() -> None:
    found = await read(results(scripted(b"", b""), table(RowKind.METADATA)))
    assert [each["key"] for each in found] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("status", "code"), [("cancelled", 1), ("expired", 4), ("completed", 13), ("failed", 13)]
)
async def test_a_request_that_was_never_answered(status: str, code: int) -> None:
    absent = {"output_file_id": None, "error_file_id": None}
    found = await read(results(ScriptedUpstream(), table(), status=status, **absent))
    assert [each["error"]["code"] for each in found] == [code] * 3


async def test_abandoned_results_close_their_file() -> None:
    upstream = scripted(line(indexed_id(0)))
    lines = results(upstream, table()).lines()
    assert await anext(lines)
    assert not upstream.done
    await lines.aclose()
    assert upstream.done


async def test_an_unavailable_file_is_not_an_empty_file() -> None:
    upstream = ScriptedUpstream(*[Scripted(500)] * ATTEMPTS)
    with pytest.raises(FerryError) as caught:
        await read(results(upstream, table()))
    assert caught.value.status == Status.UNAVAILABLE


def test_the_files_of_a_batch() -> None:
    files = api(client(ScriptedUpstream()))
    assert files.result_files(Answer(BATCH)) == ["file-out", "file-err"]
    assert files.result_files(Answer(BATCH | {"output_file_id": None})) == ["file-err"]
    assert files.result_files(Answer(status="failed")) == []


async def test_deleted_files() -> None:
    gone = Scripted(404)
    upstream = ScriptedUpstream(gone, gone)
    with pytest.raises(FerryError) as caught:
        await read(results(upstream, table()))
    assert caught.value.status == Status.NOT_FOUND
    assert upstream.done


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_deleted_file_loses_only_its_own_results(lost: int) -> None:
    script = [answer(line(indexed_id(0)))]
    script.insert(lost, Scripted(404))
    upstream = ScriptedUpstream(*script)
    found = await read(results(upstream, table(), status="cancelled"))
    assert [each["key"] for each in found] == KEYS
    assert found[0]["error"]["message"] == "m"
    # Not the error of a cancelled batch for a request that was never sent.
    assert {each["error"]["code"] for each in found[1:]} == {5}
    assert upstream.done


async def test_the_endpoint_determines_the_kind_of_response() -> None:
    embedding = {"data": [{"embedding": [0.5], "index": 0}], "usage": {}}
    response = {"status_code": 200, "body": embedding}
    text = orjson.dumps({"custom_id": indexed_id(0), "response": response, "error": None})
    upstream = scripted(text, b"")
    found = await read(results(upstream, table(), endpoint="/v1/embeddings"))
    assert found[0]["response"]["embedding"]["values"] == [0.5]
