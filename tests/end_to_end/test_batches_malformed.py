"""An upstream whose answers OpenAI would never give: 503 UNAVAILABLE, and never a 500."""

from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, from_file, gemini_line, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import ATTEMPTS, FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

ONE = inline({"request": asking("hello")})
UNAVAILABLE = (503, "UNAVAILABLE")
MALFORMED: dict[str, Any] = {
    "nothing": "",
    "a page": "<html>",
    "a list": [],
    "null": None,
    "an empty object": {},
    "an id of another type": {"id": 5, "data": 5, "object": "batch", "status": 5},
    "a list of nothing": {"id": None, "data": [None], "has_more": True},
    "a list of empty objects": {"id": [], "data": [{}], "has_more": True},
}


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


@pytest.fixture(params=list(MALFORMED))
def malformed(request: pytest.FixtureRequest) -> Any:
    return MALFORMED[request.param]


async def test_of_the_batch(client: BatchClient, openai: FakeClient, malformed: Any) -> None:
    name = (await client.create(ONE)).ok["name"]
    calls = {"GET": name, "DELETE": name, "POST": f"{name}:cancel"}
    for method, path in calls.items():
        await openai.arm(
            {"path": "/batches/"}, "status", times=ATTEMPTS, status=200, body=malformed
        )

        assert (await client.call(method, f"v1beta/{path}")).error == UNAVAILABLE, method


@pytest.mark.parametrize("collection", ["batches", "files"])
async def test_of_a_list(
    client: BatchClient, openai: FakeClient, malformed: Any, collection: str
) -> None:
    await openai.arm(
        {"path": f"/{collection}$"}, "status", times=ATTEMPTS, status=200, body=malformed
    )

    answer = await client.call("GET", f"v1beta/{collection}")

    if malformed == {}:
        assert answer.ok == {}, "an object without a list counts as an empty list"
    else:
        assert answer.error == UNAVAILABLE


@pytest.mark.parametrize("path", ["^/v1/files$", "^/v1/batches$"])
async def test_of_a_creation(
    client: BatchClient, openai: FakeClient, malformed: Any, path: str
) -> None:
    match = {"method": "POST", "path": path}
    await openai.arm(match, "status", status=200, body=malformed)

    # Not ONE: a repeat of what has an unknown outcome waits for it.
    refused = await client.create(inline({"request": asking(f"{path} {malformed}")}))

    assert refused.error == UNAVAILABLE
    objects = await openai.objects()
    assert (objects["files"], objects["batches"]) == ([], [])


async def test_of_a_file(client: BatchClient, openai: FakeClient, malformed: Any) -> None:
    name = await client.upload_lines([gemini_line("a", "x")])
    await openai.arm(
        {"method": "GET", "path": "/files/"},
        "status",
        times=ATTEMPTS,
        status=200,
        body=malformed,
    )

    assert (await client.call("GET", f"v1beta/{name}")).error == UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    ["text", {"error": "text"}, {"error": {"message": 5, "code": ["a"], "type": {}}}, [1], None],
    ids=str,
)
@pytest.mark.parametrize("status", [201, 302, 404, 418, 500, 529])
async def test_of_a_refusal(
    client: BatchClient, openai: FakeClient, error: Any, status: int
) -> None:
    await openai.arm({"path": "/batches/"}, "status", times=ATTEMPTS, status=status, body=error)

    answer = await client.get("batches/batch_abc")

    code = {404: (404, "NOT_FOUND"), 418: (400, "INVALID_ARGUMENT")}.get(status, UNAVAILABLE)
    assert answer.error == code


ODD_FIELDS: dict[str, Any] = {
    "metadata": {"ferry_job": 5, "ferry_model": ["a"], "ferry_source": None},
    "metadata of text": "x",
    "request_counts": {"total": None, "completed": "x"},
    "errors": {"data": [5, None, {"line": {}, "message": []}]},
    "errors that are none": {"data": 5},
    "created_at": 1e300,
    "completed_at": "yesterday",
    "status": {"a": "b"},
    "endpoint": 5,
    "model": 5,
}


@pytest.mark.parametrize("field", ODD_FIELDS)
async def test_of_an_optional_field(client: BatchClient, openai: FakeClient, field: str) -> None:
    name = (await client.create(ONE)).ok["name"]
    odd = {"id": name.removeprefix("batches/"), "status": "in_progress"}
    odd = {**odd, field.split(maxsplit=1)[0]: ODD_FIELDS[field]}
    await openai.arm({"path": "/batches/"}, "status", times=ATTEMPTS, status=200, body=odd)

    batch = (await client.get(name)).ok

    assert (batch["name"], batch["done"]) == (name, False)
    assert batch["metadata"]["state"] == "BATCH_STATE_RUNNING"


async def test_of_results(client: BatchClient, openai: FakeClient) -> None:
    """Requests with unreadable lines have no answer."""
    name = (await client.create(from_file(await client.upload_lines([gemini_line("a", "x")])))).ok
    batch = await client.ended(name["name"])
    for content in ("<html>\n", "[]\n{}\nnull\n", '{"custom_id": "r9999999999"}\n', ""):
        await openai.arm({"path": "/content$"}, "status", times=ATTEMPTS, status=200, body=content)

        (result,) = await client.results(batch)

        assert (result["key"], result["error"]["code"]) == ("a", 13)
