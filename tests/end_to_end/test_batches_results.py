"""Every request gets exactly one result, whatever the end of its batch."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    asking,
    by_key,
    chat_line,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

COUNT = 40
CANCELLED, FAILED_LINE, DEADLINE_EXCEEDED, INTERNAL = 1, 3, 4, 13


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


async def inline_job(client: BatchClient) -> str:
    requests = [
        {"request": asking(f"question {n}"), "metadata": {"number": str(n)}} for n in range(COUNT)
    ]
    return str((await client.create(inline(*requests))).ok["name"])


async def file_job(client: BatchClient) -> str:
    name = await client.upload_lines(
        [gemini_line(f"key {n}", f"question {n}") for n in range(COUNT)]
    )
    return str((await client.create(from_file(name))).ok["name"])


async def native_job(client: BatchClient) -> str:
    name = await client.upload_lines([chat_line(f"key {n}", f"question {n}") for n in range(COUNT)])
    return str((await client.create(from_file(name))).ok["name"])


def numbered(results: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The results by request number, each exactly once, from key or metadata."""
    found = {}
    for result in results:
        text = result["metadata"]["number"] if "metadata" in result else result["key"]
        found[int(text.removeprefix("key "))] = result
    assert len(found) == len(results)
    assert sorted(found) == list(range(len(found)))
    return found


def outcomes(results: dict[int, dict[str, Any]], code: int) -> tuple[int, int]:
    """How many requests got their own answer, and how many have that error."""
    answered = {n: result for n, result in results.items() if "response" in result}
    for number, result in answered.items():
        assert text_of(result) == f"echo: question {number}"
    errors = [result["error"]["code"] for result in results.values() if "error" in result]
    assert errors == [code] * len(errors)
    return len(answered), len(errors)


JOBS = {"inline": inline_job, "file": file_job, "native": native_job}


@pytest.fixture(params=list(JOBS))
def make_job(request: pytest.FixtureRequest) -> Any:
    return JOBS[request.param]


# --- how a batch may end -------------------------------------------------------------------------


async def test_completed(client: BatchClient, make_job: Any) -> None:
    batch = await client.ended(await make_job(client))

    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert outcomes(numbered(await client.results(batch)), 0) == (COUNT, 0)


async def test_cancelled_keeps_the_answers_so_far(
    client: BatchClient, openai: FakeClient, make_job: Any
) -> None:
    name = await make_job(client)
    await openai.steer(name, hold="cancelling")

    assert (await client.cancel(name)).ok == {}
    assert (await client.cancel(name)).ok == {}, "a cancel can be repeated while it continues"
    assert (await client.get(name)).ok["metadata"]["state"] == "JOB_STATE_CANCELLING"
    assert (await client.delete(name)).error == (400, "FAILED_PRECONDITION")
    await openai.steer(name, hold=None)

    batch = await client.ended(name)
    assert batch["metadata"]["state"] == "BATCH_STATE_CANCELLED"
    results = numbered(await client.results(batch))
    assert outcomes(results, CANCELLED) == (COUNT // 2, COUNT // 2)


async def test_expired_keeps_the_answers_so_far(
    client: BatchClient, openai: FakeClient, make_job: Any
) -> None:
    name = await make_job(client)
    await openai.steer(name, status="expired")

    batch = await client.ended(name)

    assert batch["metadata"]["state"] == "BATCH_STATE_EXPIRED"
    results = numbered(await client.results(batch))
    assert outcomes(results, DEADLINE_EXCEEDED) == (COUNT // 2, COUNT // 2)


@pytest.mark.parametrize(
    ("status", "code"), [("failed", FAILED_LINE), ("cancelled", CANCELLED)], ids=str
)
async def test_a_batch_ended_before_any_answer(
    client: BatchClient, openai: FakeClient, make_job: Any, status: str, code: int
) -> None:
    name = await make_job(client)
    await openai.steer(name, status=status)

    batch = await client.ended(name)

    assert batch["metadata"]["state"] == f"BATCH_STATE_{status.upper()}"
    assert outcomes(numbered(await client.results(batch)), code) == (0, COUNT)


async def test_inline_results_have_the_order_of_the_requests(client: BatchClient) -> None:
    requests = [{"request": asking("please fail" if n % 3 == 0 else f"q{n}")} for n in range(30)]

    name = (await client.create(inline(*requests))).ok["name"]
    batch = await client.ended(name)

    results = await client.results(batch)
    texts = ["error" if "error" in one else text_of(one) for one in results]
    assert texts == ["error" if n % 3 == 0 else f"echo: q{n}" for n in range(30)]
    assert all("metadata" not in one for one in results)
    assert batch["response"].pop("@type").endswith(".GenerateContentBatchOutput")
    assert batch["response"] == batch["metadata"]["output"]


async def test_a_request_that_openai_never_answers_has_an_error_that_says_so(
    client: BatchClient,
) -> None:
    texts = ["one", "please lose", "three"]
    name = (await client.create(inline(*({"request": asking(text)} for text in texts)))).ok["name"]

    first, second, third = await client.results(await client.ended(name))

    assert (text_of(first), text_of(third)) == ("echo: one", "echo: three")
    assert second["error"]["code"] == INTERNAL
    assert "without an answer" in second["error"]["message"]


async def test_every_request_failed(client: BatchClient) -> None:
    """OpenAI has no output file then."""
    name = await client.upload_lines([gemini_line(key, "please fail") for key in "abc"])
    job = (await client.create(from_file(name))).ok["name"]

    batch = await client.ended(job)

    results = by_key(await client.results(batch))
    assert {key: one["error"]["code"] for key, one in results.items()} == dict.fromkeys("abc", 3)


# --- results need neither the input file nor our record ------------------------------------------


@pytest.mark.parametrize("line", [gemini_line, chat_line], ids=["gemini", "native"])
async def test_the_input_can_be_deleted_after_creation(client: BatchClient, line: Any) -> None:
    name = await client.upload_lines([line(f"key {n}", f"question {n}") for n in range(COUNT)])
    job = (await client.create(from_file(name))).ok["name"]

    assert (await client.call("DELETE", f"v1beta/{name}")).ok == {}
    batch = await client.ended(job)

    assert outcomes(numbered(await client.results(batch)), 0) == (COUNT, 0)


async def test_a_batch_of_another_tool(
    client: BatchClient, openai: FakeClient, http: ClientSession
) -> None:
    lines = [chat_line(f"their {n}", f"question {n}") for n in range(5)]
    name = await client.upload_lines(lines)
    order = {
        "input_file_id": openai.native_id(name),
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"team": "theirs"},
    }
    key = {"Authorization": f"Bearer {openai.kind.key}"}
    async with http.post(f"{openai.base_url}/batches", json=order, headers=key) as made:
        native = (await made.json())["id"]

    listed = (await client.call("GET", "v1beta/batches")).ok["operations"]
    assert [one["name"] for one in listed] == [f"batches/{native}"]
    batch = await client.ended(f"batches/{native}")

    results = by_key(await client.results(batch))
    assert {key: text_of(one) for key, one in results.items()} == {
        f"their {n}": f"echo: question {n}" for n in range(5)
    }
