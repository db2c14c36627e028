"""The fake Mistral's jobs: what is refused at create, what fails a job, and how one moves."""

import json
import time
from typing import Any, Final

import pytest

from .conftest import Client
from .test_mistral_files import upload

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
JOBS = "/v1/batch/jobs"
NO_ID = "00000000-0000-4000-8000-000000000000"
CREATE = {"endpoint": CHAT, "model": "mistral-small-latest"}
REQUEST = {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "hi"}]}}


def line(custom_id: str = "a", text: str = "hi", **changes: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "body": body} | changes


def rows(*lines: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


async def create(client: Client, *inputs: bytes, **changes: Any) -> dict[str, Any]:
    body = CREATE | {"input_files": [(await upload(client, data=data))["id"] for data in inputs]}
    response = await client.post(JOBS, json=body | changes)
    assert response.status == 200, await response.text()
    job: dict[str, Any] = await response.json()
    return job


async def get(client: Client, job: dict[str, Any], query: str = "") -> dict[str, Any]:
    fresh: dict[str, Any] = await (await client.get(f"{JOBS}/{job['id']}{query}")).json()
    return fresh


async def steer(client: Client, job: dict[str, Any], **order: Any) -> dict[str, Any]:
    response = await client.post(f"/_fake/batches/{job['id']}", json=order)
    assert response.status == 200, await response.text()
    steered: dict[str, Any] = await response.json()
    return steered


async def results(client: Client, job: dict[str, Any], kind: str) -> dict[str, Any]:
    if job[f"{kind}_file"] is None:
        return {}
    content = await client.get(f"/v1/files/{job[f'{kind}_file']}/content")
    parsed = [json.loads(row) for row in (await content.text()).splitlines()]
    return {row["custom_id"]: row for row in parsed}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"endpoint": "/v1/chat"}, 422),
        ({"endpoint": "/v1/ocr"}, 422),
        ({"endpoint": None}, 422),
        ({"input_files": None}, 422),
        ({"input_files": []}, 422),
        ({"input_files": "a"}, 422),
        ({"input_files": ["file-none"]}, 422),
        ({"input_files": [NO_ID]}, 404),
        ({"requests": [REQUEST]}, 422),
        ({"input_files": None, "requests": []}, 422),
        ({"input_files": None, "requests": [{"body": {}}]}, 422),
        ({"input_files": None, "requests": [REQUEST | {"method": "POST"}]}, 422),
        ({"input_files": None, "requests": [REQUEST] * 10_001}, 422),
        ({"agent_id": "ag_1"}, 422),
        ({"input_file_id": NO_ID}, 422),
        ({"completion_window": "24h"}, 422),
        ({"timeout_hours": 0}, 422),
        ({"timeout_hours": 169}, 422),
        ({"timeout_hours": "24"}, 422),
        ({"metadata": {"k": 1}}, 422),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, 422),
        ({"metadata": {"k" * 65: "v"}}, 422),
        ({"metadata": {"k": "v" * 513}}, 422),
        ({"model": "gpt-4o"}, 400),
        ({"model": "models/mistral-small-latest"}, 400),
        ({"model": "mistral-embed"}, 400),
        ({"endpoint": EMBEDDINGS}, 400),
    ],
)
async def test_create_bodies(mistral: Client, changes: dict[str, Any], status: int) -> None:
    files = [(await upload(mistral, data=rows(line())))["id"]]
    response = await mistral.post(JOBS, json=CREATE | {"input_files": files} | changes)
    assert response.status == status
    assert (await (await mistral.get(JOBS)).json())["total"] == 0


async def test_the_input_is_an_uploaded_batch_file_of_the_same_key(mistral: Client) -> None:
    job = await steer(mistral, await create(mistral, rows(line())), status="SUCCESS")
    trained = await upload(mistral, ("purpose", "fine-tune"))
    for wrong in (trained["id"], job["output_file"]):
        response = await mistral.post(JOBS, json=CREATE | {"input_files": [wrong]})
        assert response.status == 400
    other = {"Authorization": f"Bearer {'b' * 32}"}
    body = CREATE | {"input_files": job["input_files"]}
    assert (await mistral.post(JOBS, json=body, headers=other)).status == 404


async def test_a_body_must_be_json(mistral: Client) -> None:
    headers = {"Content-Type": "application/json"}
    assert (await mistral.post(JOBS, data=b"{", headers=headers)).status == 422
    assert (await mistral.post(JOBS, data=b"{}")).status == 422


@pytest.mark.parametrize(
    ("data", "problem", "count"),
    [
        (b"", "The input has no requests.", 1),
        (rows(line()) + b"\n{\n", "Invalid JSON.", 2),
        (b"\xef\xbb\xbf" + rows(line()), "Invalid JSON.", 1),
        (rows([]), "A line is not a JSON object.", 1),
        (rows(line(), {"custom_id": "b"}), "body: Field required", 1),
        (rows({"body": {}}), "custom_id: Field required", 1),
        (rows(line(method="POST"), line("b", method="POST")), "method: Extra", 2),
        (rows(line(url=CHAT)), "url: Extra inputs are not permitted", 1),
        (rows(line(body="{}")), "body: Input should be", 1),
        (rows(line() | {"custom_id": 1}), "custom_id: Input should be", 1),
        (rows(line(), line(), line()), "custom_id: Two requests", 2),
    ],
)
async def test_a_bad_line_fails_the_job(
    mistral: Client, data: bytes, problem: str, count: int
) -> None:
    failed = await get(mistral, await create(mistral, data))
    assert (failed["status"], failed["total_requests"]) == ("FAILED", 0)
    assert failed["completed_at"] is not None
    (error,) = failed["errors"]
    assert (error["message"].startswith(problem), error["count"]) == (True, count)


async def test_states_files_and_order(mistral: Client) -> None:
    texts = [f"text {n}{' please fail' if n == 3 else ''}" for n in range(20)]
    texts[5] = "please lose"
    lines = [line(f"r{n}", text) for n, text in enumerate(texts)]
    job = await create(mistral, rows(*lines[:8])[:-1], rows(*lines[8:]))
    assert (job["status"], job["total_requests"], job["errors"]) == ("QUEUED", 0, [])
    assert (await mistral.delete(f"/v1/files/{job['input_files'][0]}")).status == 200
    running = await get(mistral, job)
    assert (running["status"], running["total_requests"]) == ("RUNNING", 20)
    assert (running["started_at"] is None, running["completed_at"]) == (False, None)
    job = await get(mistral, job)
    counts = ("total", "completed", "succeeded", "failed")
    assert [job[f"{name}_requests"] for name in counts] == [20, 19, 18, 1]
    assert job == await get(mistral, job)
    good, bad = await results(mistral, job, "output"), await results(mistral, job, "error")
    assert set(good) == {f"r{n}" for n in range(20)} - {"r3", "r5"}
    assert list(good) != sorted(good, key=lambda name: int(name[1:]))
    assert bad["r3"]["response"]["status_code"] == 400
    for kind, count in (("output", 18), ("error", 1)):
        file = await (await mistral.get(f"/v1/files/{job[f'{kind}_file']}")).json()
        sample = {"output": "batch_result", "error": "batch_error"}[kind]
        shown = (file["purpose"], file["source"], file["sample_type"], file["num_lines"])
        assert shown == ("batch", "mistral", sample, count)


async def test_results_can_be_downloaded_for_a_day(
    mistral: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await steer(mistral, await create(mistral, rows(line())), status="SUCCESS")
    path, now = f"/v1/files/{job['output_file']}/content", time.time()
    for later, status in ((86_390, 200), (86_410, 404)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert (await mistral.get(path)).status == status


async def test_inline_requests_have_outputs_and_no_files(mistral: Client) -> None:
    requests = [line("a"), line("b", "please fail")]
    job = await create(mistral, input_files=None, requests=requests)
    assert (await get(mistral, job, "?inline=true"))["outputs"] is None
    job = await get(mistral, job)
    assert (job["status"], job["output_file"], job["outputs"]) == ("SUCCESS", None, None)
    outputs = (await get(mistral, job, "?inline=true"))["outputs"]
    statuses = {row["custom_id"]: row["response"]["status_code"] for row in outputs}
    assert statuses == {"a": 200, "b": 400}
    assert (await mistral.get(f"{JOBS}/{job['id']}?inline=1")).status == 422
    of_files = await steer(mistral, await create(mistral, rows(line())), status="SUCCESS")
    assert len((await get(mistral, of_files, "?inline=true"))["outputs"]) == 1


@pytest.mark.parametrize("status", ["CANCELLED", "TIMEOUT_EXCEEDED"])
async def test_a_job_that_ends_early_has_half_of_its_results(mistral: Client, status: str) -> None:
    job = await create(mistral, rows(*(line(f"r{n}") for n in range(12))))
    await get(mistral, job)
    job = await steer(mistral, job, status=status)
    assert (job["succeeded_requests"], job["failed_requests"]) == (6, 4)
    assert len(await results(mistral, job, "output")) == 6
    told = [row["error"] for row in (await results(mistral, job, "error")).values()]
    assert sorted(type(error).__name__ for error in told) == ["dict"] * 2 + ["str"] * 2


async def test_a_job_is_cancelled_in_two_steps(mistral: Client) -> None:
    job = await create(mistral, rows(line()))
    path = f"{JOBS}/{job['id']}"
    assert (await mistral.delete(path)).status == 400
    for _ in range(2):
        cancelled = await (await mistral.post(f"{path}/cancel")).json()
        assert cancelled["status"] == "CANCELLATION_REQUESTED"
    cancelled = await get(mistral, job)
    assert (cancelled["status"], cancelled["output_file"]) == ("CANCELLED", None)
    assert (await mistral.post(f"{path}/cancel")).status == 400
    deleted = await (await mistral.delete(path)).json()
    assert deleted == {"id": job["id"], "object": "batch", "deleted": True}
    assert (await mistral.get(path)).status == 404


async def test_a_job_can_be_held_and_failed(mistral: Client) -> None:
    job = await create(mistral, rows(line()))
    await steer(mistral, job, hold="RUNNING")
    assert [(await get(mistral, job))["status"] for _ in range(3)] == ["RUNNING"] * 3
    errors = [{"message": "Out of credit.", "count": 1}]
    failed = await steer(mistral, job, status="FAILED", errors=errors)
    assert (failed["status"], failed["errors"]) == ("FAILED", errors)
    await mistral.post("/_fake/settings", json={"auto_advance": False})
    job = await create(mistral, rows(line()))
    assert (await get(mistral, job))["status"] == "QUEUED"
    assert (await steer(mistral, job, advance=True))["status"] == "RUNNING"


async def test_jobs_are_listed_by_page_and_filter_and_belong_to_a_key(mistral: Client) -> None:
    first = await create(mistral, rows(line()), metadata={"a": "b"})
    second = await create(mistral, rows(line()), model="ministral-3b-latest")
    await get(mistral, second)

    async def page(query: str, **headers: str) -> tuple[list[str], int]:
        answer = await (await mistral.get(f"{JOBS}?{query}", headers=headers)).json()
        assert answer["object"] == "list"
        return [job["id"] for job in answer["data"]], answer["total"]

    assert await page("page_size=1") == ([second["id"]], 2)
    assert await page("page_size=1&page=1") == ([first["id"]], 2)
    assert await page("order_by=created") == ([first["id"], second["id"]], 2)
    assert await page("status=QUEUED&status=SUCCESS&created_by_me=true") == ([first["id"]], 1)
    assert await page("model=ministral-3b-latest") == ([second["id"]], 1)
    assert await page("created_after=2001-01-01T00:00:00Z&agent_id=ag_1") == ([], 0)
    assert (await get(mistral, first))["metadata"] == {"a": "b"}
    other = {"Authorization": f"Bearer {'b' * 32}"}
    assert await page("", **other) == ([], 0)
    path = f"{JOBS}/{first['id']}"
    assert (await mistral.get(path, headers=other)).status == 404
    assert (await mistral.post(f"{path}/cancel", headers=other)).status == 404
    assert (await mistral.delete(path, headers=other)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{JOBS}?page_size=101", 422),
        ("GET", f"{JOBS}?after=a", 422),
        ("GET", f"{JOBS}?status=queued", 422),
        ("GET", f"{JOBS}?order_by=-id", 422),
        ("GET", f"{JOBS}?created_after=yesterday", 422),
        ("GET", f"{JOBS}?metadata=a", 422),
        ("GET", f"{JOBS}/batch_none", 422),
        ("GET", f"{JOBS}/{NO_ID}", 404),
        ("POST", f"{JOBS}/{NO_ID}/cancel", 404),
        ("DELETE", f"{JOBS}/{NO_ID}", 404),
        ("PATCH", f"{JOBS}/{NO_ID}", 405),
        ("GET", "/v1/batches", 404),
    ],
)
async def test_paths(mistral: Client, method: str, path: str, status: int) -> None:
    assert (await mistral.request(method, path)).status == status


async def test_faults_strike_and_requests_are_counted(mistral: Client) -> None:
    order = {"match": {"path": "/jobs$"}, "fault": {"kind": "status", "status": 503}}
    await mistral.post("/_fake/faults", json=order)
    assert [(await mistral.get(JOBS)).status for _ in range(2)] == [503, 200]
    seen = await (await mistral.get("/_fake/requests?path=/jobs$")).json()
    assert len(seen["requests"]) == 2
    await mistral.post("/_fake/reset", json={})
    assert (await (await mistral.get("/_fake/requests")).json())["requests"] == []
