"""Batches: what is refused at creation, how they advance, and where their results are."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from .conftest import Client

BATCHES = "/v1/messages/batches"
MODEL = "claude-sonnet-4-5"


def asking(text: str = "hi", **changes: Any) -> dict[str, Any]:
    """The params of a request; a change to None removes a field."""
    params = {
        "model": MODEL,
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
    } | changes
    return {name: value for name, value in params.items() if value is not None}


def request(custom_id: str = "a", text: str = "hi", **changes: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "params": asking(text, **changes)}


async def create(
    client: Client, *requests: dict[str, Any], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    response = await client.post(BATCHES, json={"requests": requests}, headers=headers)
    assert response.status == 200, await response.text()
    batch: dict[str, Any] = await response.json()
    return batch


async def get(client: Client, batch: dict[str, Any]) -> dict[str, Any]:
    response = await client.get(f"{BATCHES}/{batch['id']}")
    assert response.status == 200, await response.text()
    fresh: dict[str, Any] = await response.json()
    return fresh


async def passed(client: Client, batch: dict[str, Any]) -> dict[str, Any]:
    """The batch after two gets, which end it unless a test holds it."""
    await get(client, batch)
    return await get(client, batch)


async def steer(client: Client, batch: dict[str, Any], **order: Any) -> None:
    response = await client.post(f"/_fake/batches/{batch['id']}", json=order)
    assert response.status == 200, await response.text()


async def results(client: Client, batch: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The results by custom_id, in the order of the file."""
    response = await client.get(URL(batch["results_url"]).path_qs)
    assert response.status == 200, await response.text()
    assert response.content_type == "application/x-jsonl"
    rows = [json.loads(row) for row in (await response.read()).splitlines()]
    assert all(set(row) == {"custom_id", "result"} for row in rows)
    return {row["custom_id"]: row["result"] for row in rows}


async def run(client: Client, *requests: dict[str, Any], **said: Any) -> dict[str, dict[str, Any]]:
    return await results(client, await passed(client, await create(client, *requests, **said)))


def rendered(*requests: Any, **more: Any) -> bytes:
    return json.dumps({"requests": list(requests), **more}).encode()


def counts(**known: int) -> dict[str, int]:
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    return dict.fromkeys(names, 0) | known


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"[]", "must be a JSON object"),
        (b"{}", "requests: Field required"),
        (b'{"requests": []}', "at least 1"),
        (b'{"requests": {}}', "valid array"),
        (rendered(request()) + b"x", "follows"),
        (rendered(request())[:-1], "expected ','"),
        (rendered(request())[:-2], "expected ','"),
        (rendered(request())[:-4], "never closed"),
        (b'{"requests": [{"custom_id": "a', "never closed"),
        (b'{"requests": [{"custom_id" "a"}]}', "not valid JSON"),
        (b'{"requests": [,]}', "expected a value"),
        (rendered(request()).replace(b"}}]", b"}},]"), "expected a value"),
        (rendered(request(), metadata={}), "metadata: Extra"),
        (rendered(request())[:-1] + b',"requests":[{}]}', "given twice"),
        (rendered(1), "requests.0: Input"),
        (rendered(request(), {"custom_id": "b"}), "requests.1.params: Field required"),
        (rendered({"params": {}}), "requests.0.custom_id: Field required"),
        (rendered({**request(), "method": "POST"}), "requests.0.method: Extra"),
        (rendered({"custom_id": "a", "params": "x"}), "requests.0.params: Input"),
        (rendered(request("")), "requests.0.custom_id: String"),
        (rendered(request("a b")), "requests.0.custom_id: String"),
        (rendered(request("ä")), "requests.0.custom_id: String"),
        (rendered(request("a" * 65)), "requests.0.custom_id: String"),
        (rendered(request("b"), request(), request()), "requests.2.custom_id: must be unique"),
    ],
)
async def test_refused_bodies(anthropic: Client, body: bytes, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = await anthropic.post(BATCHES, data=body, headers=headers)
    assert response.status == 400
    assert message in (await response.json())["error"]["message"]
    assert (await (await anthropic.get("/_fake/objects")).json())["batches"] == []


async def test_a_body_must_declare_that_it_is_json(anthropic: Client) -> None:
    assert (await anthropic.post(BATCHES, data=rendered(request()))).status == 400


async def test_a_batch_has_at_most_100_000_requests(anthropic: Client) -> None:
    one = b'{"custom_id":"r%d","params":{}}'
    body = b'{"requests":[%s]}' % b",".join(one % n for n in range(100_001))
    headers = {"Content-Type": "application/json"}
    response = await anthropic.post(BATCHES, data=io.BytesIO(body), headers=headers)
    assert response.status == 400
    assert "100000" in (await response.json())["error"]["message"]


async def test_a_body_of_unknown_length_is_measured_as_it_arrives(
    anthropic: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chunked() -> AsyncIterator[bytes]:
        yield rendered(request())

    headers = {"Content-Type": "application/json"}
    assert (await anthropic.post(BATCHES, data=chunked(), headers=headers)).status == 200
    monkeypatch.setattr("tests.fakes.anthropic.batches.LARGEST_BODY", 20)
    assert (await anthropic.post(BATCHES, data=chunked(), headers=headers)).status == 413


async def test_requests_are_found_however_they_are_written(anthropic: Client) -> None:
    texts = ['"}]{[,\\', "\u2028 ü 😀", "a\nb", "{}"]
    requests = [request(f"r{n}", text) for n, text in enumerate(texts)]
    body = json.dumps({"requests": requests}, indent=3).encode() + b"\n \n"
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = await anthropic.post(BATCHES, data=body, headers=headers)
    found = await results(anthropic, await passed(anthropic, await response.json()))
    for n, text in enumerate(texts):
        assert found[f"r{n}"]["message"]["content"][0]["text"] == f"echo: {text}"


async def test_states_counts_and_order(anthropic: Client) -> None:
    special = {3: "please fail", 4: "please expire", 5: "please lose"}
    texts = [special.get(n, f"text {n}") for n in range(20)]
    batch = await create(anthropic, *(request(f"r{n}", text) for n, text in enumerate(texts)))
    assert batch["id"].startswith("msgbatch_")
    assert (batch["type"], batch["processing_status"]) == ("message_batch", "in_progress")
    assert batch["request_counts"] == counts(processing=20)
    assert set(batch) == {
        "id",
        "type",
        "processing_status",
        "request_counts",
        "ended_at",
        "created_at",
        "expires_at",
        "archived_at",
        "cancel_initiated_at",
        "results_url",
    }
    assert batch["results_url"] is batch["ended_at"] is None
    early = await anthropic.get(f"{BATCHES}/{batch['id']}/results")
    assert early.status == 400
    assert await get(anthropic, batch) == batch, "not yet"
    ended = await get(anthropic, batch)
    assert (ended["processing_status"], ended["cancel_initiated_at"]) == ("ended", None)
    assert ended["request_counts"] == counts(succeeded=17, errored=2, expired=1)
    assert ended["ended_at"] is not None
    assert ended == await get(anthropic, batch)
    found = await results(anthropic, ended)
    assert set(found) == {f"r{n}" for n in range(20)} - {"r5"}
    assert list(found) != sorted(found, key=lambda name: int(name[1:]))
    assert found["r4"] == {"type": "expired"}
    error = found["r3"]["error"]
    assert (error["type"], error["error"]["type"]) == ("error", "invalid_request_error")


async def test_a_batch_can_be_held_advanced_and_not_by_itself(anthropic: Client) -> None:
    batch = await create(anthropic, request())
    await steer(anthropic, batch, hold="in_progress")
    states = [(await get(anthropic, batch))["processing_status"] for _ in range(3)]
    assert states == ["in_progress"] * 3
    await steer(anthropic, batch, hold=None)
    await anthropic.post("/_fake/settings", json={"auto_advance": False})
    assert (await get(anthropic, batch))["processing_status"] == "in_progress"
    await steer(anthropic, batch, advance=True)
    assert (await get(anthropic, batch))["processing_status"] == "ended"


async def test_cancelling(anthropic: Client) -> None:
    batch = await create(anthropic, *(request(f"r{n}") for n in range(4)))
    path = f"{BATCHES}/{batch['id']}"
    canceling = await (await anthropic.post(f"{path}/cancel")).json()
    assert canceling["processing_status"] == "canceling"
    assert canceling["cancel_initiated_at"] is not None
    assert canceling["request_counts"] == counts(processing=4)
    assert await (await anthropic.post(f"{path}/cancel")).json() == canceling
    assert (await anthropic.post(f"{path}/cancel", json={})).status == 400
    ended = await passed(anthropic, batch)
    assert ended["request_counts"] == counts(succeeded=2, canceled=2)
    kinds = sorted(result["type"] for result in (await results(anthropic, ended)).values())
    assert kinds == ["canceled", "canceled", "succeeded", "succeeded"]
    assert (await anthropic.post(f"{path}/cancel")).status == 400


async def test_a_test_sets_how_far_a_batch_gets(anthropic: Client) -> None:
    requests = [request(f"r{n}") for n in range(4)]
    expired, late = await create(anthropic, *requests), await create(anthropic, *requests)
    await steer(anthropic, expired, reached=1, status="ended")
    assert (await passed(anthropic, expired))["request_counts"] == counts(succeeded=1, expired=3)
    await steer(anthropic, late, reached=4, status="canceling")
    ended = await passed(anthropic, late)
    assert ended["request_counts"] == counts(succeeded=4)
    assert ended["cancel_initiated_at"] is not None


async def test_only_an_ended_batch_is_deleted(anthropic: Client) -> None:
    batch = await create(anthropic, request())
    path = f"{BATCHES}/{batch['id']}"
    assert (await anthropic.delete(path)).status == 400
    await anthropic.post(f"{path}/cancel")
    assert (await anthropic.delete(path)).status == 400
    ended = await passed(anthropic, batch)
    deleted = await (await anthropic.delete(path)).json()
    assert deleted == {"id": batch["id"], "type": "message_batch_deleted"}
    for gone in (path, URL(ended["results_url"]).path):
        assert (await anthropic.get(gone)).status == 404


async def test_archived_results_are_gone(anthropic: Client) -> None:
    batch = await create(anthropic, request())
    response = await anthropic.post(f"/_fake/batches/{batch['id']}", json={"archived": True})
    assert response.status == 400
    await steer(anthropic, batch, status="ended", archived=True)
    archived = await get(anthropic, batch)
    assert archived["archived_at"] is not None
    assert (archived["processing_status"], archived["results_url"]) == ("ended", None)
    assert (await anthropic.get(f"{BATCHES}/{batch['id']}/results")).status == 404


async def test_a_test_sets_the_url_of_results(anthropic: Client) -> None:
    batch = await passed(anthropic, await create(anthropic, request()))
    path = f"{BATCHES}/{batch['id']}/results"
    assert batch["results_url"] == str(anthropic.make_url(path))
    for said in ("/v1/{id}", "https://elsewhere.test/{id}?signature=abc"):
        await anthropic.post("/_fake/settings", json={"results_url": said})
        batch = await get(anthropic, batch)
        assert batch["results_url"] == said.replace("{id}", batch["id"])
        assert (await anthropic.get(path)).status == 200
        assert (await anthropic.get(f"{BATCHES}/{batch['id']}")).status == 200
    assert (await anthropic.get(f"/v1/{batch['id']}")).status == 404
    stranger = {"x-api-key": "sk-ant-api03-two"}
    assert (await anthropic.get(path, headers=stranger)).status == 404


async def test_batches_are_listed_newest_first_in_both_directions(anthropic: Client) -> None:
    ids = [(await create(anthropic, request()))["id"] for _ in range(5)]
    ids.reverse()

    async def page(query: str) -> tuple[list[str], bool]:
        listed = await (await anthropic.get(f"{BATCHES}?{query}")).json()
        assert listed["first_id"] == listed["data"][0]["id"]
        assert listed["last_id"] == listed["data"][-1]["id"]
        return [batch["id"] for batch in listed["data"]], listed["has_more"]

    assert await page("limit=2") == (ids[:2], True)
    assert await page(f"limit=3&after_id={ids[1]}") == (ids[2:], False)
    assert await page(f"limit=2&before_id={ids[4]}") == (ids[2:4], True)
    assert await page(f"limit=2&before_id={ids[2]}") == (ids[:2], False)
    stranger = {"x-api-key": "sk-ant-api03-two"}
    empty = await (await anthropic.get(BATCHES, headers=stranger)).json()
    assert empty == {"data": [], "has_more": False, "first_id": None, "last_id": None}
    path = f"{BATCHES}/{ids[0]}"
    assert (await anthropic.get(path, headers=stranger)).status == 404


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "order=asc", "after_id=no", "after_id=a&before_id=b"],
)
async def test_refused_lists(anthropic: Client, query: str) -> None:
    assert (await anthropic.get(f"{BATCHES}?{query}")).status == 400
