"""Batches: what is refused at create, what fails the whole file, what fails a line."""

import json
from typing import Any

import pytest

from .conftest import Client
from .test_openai_files import store

CHAT = "/v1/chat/completions"
CREATE = {"endpoint": CHAT, "completion_window": "24h"}


def line(custom_id: str = "a", text: str = "hi", **changes: Any) -> dict[str, Any]:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body} | changes


def chat(**changes: Any) -> dict[str, Any]:
    body = line()["body"] | changes
    return line(body={name: value for name, value in body.items() if value is not None})


def rows(*lines: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


async def create(client: Client, data: bytes, **changes: Any) -> dict[str, Any]:
    body = CREATE | {"input_file_id": await store(client, data)} | changes
    response = await client.post("/v1/batches", json=body)
    assert response.status == 200, await response.text()
    batch: dict[str, Any] = await response.json()
    return batch


async def get(client: Client, batch: dict[str, Any]) -> dict[str, Any]:
    fresh: dict[str, Any] = await (await client.get(f"/v1/batches/{batch['id']}")).json()
    return fresh


async def finish(client: Client, batch: dict[str, Any], status: str) -> dict[str, Any]:
    order = {"status": status}
    response = await client.post(f"/_fake/batches/{batch['id']}", json=order)
    done: dict[str, Any] = await response.json()
    assert done["status"] == status
    return done


async def results(client: Client, batch: dict[str, Any], kind: str) -> dict[str, Any]:
    if batch[f"{kind}_file_id"] is None:
        return {}
    content = await client.get(f"/v1/files/{batch[f'{kind}_file_id']}/content")
    parsed = [json.loads(row) for row in (await content.text()).splitlines()]
    return {row["custom_id"]: row for row in parsed}


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "/v1/chat"},
        {"completion_window": "1h"},
        {"input_file_id": "file-none"},
        {"model": "gpt-4o"},
        {"metadata": {f"k{n}": "v" for n in range(17)}},
        {"metadata": {"k" * 65: "v"}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {"k": 1}},
    ],
)
async def test_create_bodies(openai: Client, changes: dict[str, Any]) -> None:
    body = CREATE | {"input_file_id": await store(openai, rows(line()))} | changes
    assert (await openai.post("/v1/batches", json=body)).status == 400


async def test_the_input_needs_its_purpose(openai: Client) -> None:
    body = CREATE | {"input_file_id": await store(openai, b"{}", purpose="user_data")}
    assert (await openai.post("/v1/batches", json=body)).status == 400


@pytest.mark.parametrize(
    ("data", "code", "number"),
    [
        (b"", "empty_file", None),
        (b"\xef\xbb\xbf" + rows(line()), "invalid_json_line", 1),
        (rows(line()) + b"\n" + rows(line("b")), "invalid_json_line", 2),
        (rows(line(), {"custom_id": "b"}), "missing_required_parameter", 2),
        (rows(line(), line()), "duplicate_custom_id", 2),
        (rows(line(key="k")), "unknown_parameter", 1),
        (rows(line(method="GET")), "invalid_method", 1),
        (rows(line(url="/v1/embeddings")), "invalid_url", 1),
        (rows(chat(model="models/gemini")), "model_not_found", 1),
        (rows(chat(stream=False)), "invalid_request", 1),
        (rows(line(), chat(model="gpt-4o") | {"custom_id": "b"}), "mismatched_model", 2),
    ],
)
async def test_a_bad_frame_fails_the_batch(
    openai: Client, data: bytes, code: str, number: int | None
) -> None:
    failed = await get(openai, await create(openai, data))
    assert failed["status"] == "failed"
    assert failed["failed_at"] is not None
    (error,) = failed["errors"]["data"]
    assert (error["code"], error["line"]) == (code, number)


PLAIN = {"type": "object", "properties": {}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": PLAIN}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
OPEN_CALL = [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [CALL]}]
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}


ROOTS: list[dict[str, Any]] = [
    {"type": "array", "items": LOOSE},
    {"type": "string"},
    {"anyOf": [LOOSE]},
    LOOSE | {"anyOf": [{"required": ["a"]}]},
    {},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": ["string", "array"]}}},
]
IN = "messages[0].content"


def schema(**changes: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": LOOSE} | changes}


def tool(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


def media(**part: Any) -> dict[str, Any]:
    return {"role": "user", "content": [part]}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "model", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "txt"}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]}, "messages[0].role"),
        ({"messages": OPEN_CALL}, "messages"),
        ({"messages": [*OPEN_CALL, {"role": "user", "content": "x"}]}, "messages[2]"),
        ({"top_k": 3}, "top_k"),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"n": 0}, "n"),
        ({"seed": 1.5}, "seed"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"reasoning_effort": "MEDIUM"}, "reasoning_effort"),
        ({"tools": [{"type": "function", "function": {"name": "a.b"}}]}, "tools[0].function.name"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice"),
        (
            {
                "tools": [TOOL],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            "tool_choice",
        ),
        ({"response_format": {"type": "json_object"}}, "messages"),
        ({"response_format": schema(strict=True)}, "response_format.json_schema.schema"),
        ({"response_format": schema(name="a b")}, "response_format.json_schema.name"),
        *(
            ({"response_format": schema(schema=root)}, "response_format.json_schema.schema")
            for root in ROOTS
        ),
        *(({"tools": [tool(root)]}, "tools[0].function.parameters") for root in ROOTS),
        ({"stop": [""]}, "stop[0]"),
        ({"messages": [media(type="image_url", image_url={"url": "data:image/png;base64,"})]}, IN),
        ({"messages": [media(type="file", file={"file_data": "data:a/b;base64,"})]}, IN),
        (
            {"messages": [media(type="input_audio", input_audio={"data": "", "format": "wav"})]},
            IN,
        ),
        ({"model": "o3", "temperature": 0.5}, "temperature"),
    ],
)
async def test_a_bad_parameter_fails_its_line(
    openai: Client, changes: dict[str, Any], param: str
) -> None:
    batch = await finish(openai, await create(openai, rows(chat(**changes))), "completed")
    assert batch["output_file_id"] is None
    assert batch["request_counts"] == {"total": 1, "completed": 0, "failed": 1}
    answer = (await results(openai, batch, "error"))["a"]["response"]
    assert answer["status_code"] == 400
    assert answer["body"]["error"]["param"].startswith(param)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "echo: hi"),
        ({"max_completion_tokens": 1}, "echo:"),
        ({"response_format": schema()}, '{"a":"text"}'),
        (
            {"messages": [*OPEN_CALL, {"role": "tool", "content": "1", "tool_call_id": "c1"}]},
            "echo: 1",
        ),
    ],
)
async def test_answers_derive_from_the_request(
    openai: Client, changes: dict[str, Any], expected: str
) -> None:
    batch = await finish(openai, await create(openai, rows(chat(**changes))), "completed")
    body = (await results(openai, batch, "output"))["a"]["response"]["body"]
    assert body["choices"][0]["message"]["content"] == expected


async def test_a_tool_is_called(openai: Client) -> None:
    data = rows(chat(tools=[TOOL], tool_choice="required"))
    batch = await finish(openai, await create(openai, data), "completed")
    choice = (await results(openai, batch, "output"))["a"]["response"]["body"]["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}


async def test_embeddings(openai: Client) -> None:
    body = {"model": "text-embedding-3-small", "input": "one", "dimensions": 3}
    data = rows(line(url="/v1/embeddings", body=body))
    created = await create(openai, data, endpoint="/v1/embeddings")
    batch = await finish(openai, created, "completed")
    answer = (await results(openai, batch, "output"))["a"]["response"]["body"]
    assert len(answer["data"][0]["embedding"]) == 3
    assert answer["usage"]["total_tokens"] == 1


async def test_states_files_and_order(openai: Client) -> None:
    texts = [f"text {n}{' please fail' if n == 3 else ''}" for n in range(20)]
    texts[5] = "please lose"
    batch = await create(openai, rows(*(line(f"r{n}", text) for n, text in enumerate(texts))))
    assert batch["status"] == "validating"
    assert (await openai.delete(f"/v1/files/{batch['input_file_id']}")).status == 200
    states = [(await get(openai, batch))["status"] for _ in range(4)]
    assert states == ["in_progress", "finalizing", "completed", "completed"]
    batch = await get(openai, batch)
    assert batch["request_counts"] == {"total": 20, "completed": 18, "failed": 1}
    file = await (await openai.get(f"/v1/files/{batch['output_file_id']}")).json()
    assert (file["purpose"], file["filename"]) == ("batch_output", f"{batch['id']}_output.jsonl")
    good, bad = await results(openai, batch, "output"), await results(openai, batch, "error")
    assert list(bad) == ["r3"]
    assert set(good) == {f"r{n}" for n in range(20)} - {"r3", "r5"}
    assert list(good) != sorted(good, key=lambda name: int(name[1:]))
    assert (await openai.post(f"/v1/batches/{batch['id']}/cancel")).status == 409


async def test_cancelled_and_expired_batches_have_half_of_their_results(openai: Client) -> None:
    data = rows(*(line(f"r{n}") for n in range(8)))
    cancelled, expired = await create(openai, data), await create(openai, data)
    await get(openai, cancelled)
    response = await openai.post(f"/v1/batches/{cancelled['id']}/cancel")
    assert (await response.json())["status"] == "cancelling"
    cancelled = await get(openai, cancelled)
    assert cancelled["status"] == "cancelled"
    assert len(await results(openai, cancelled, "output")) == 4
    told = await results(openai, cancelled, "error")
    assert [row["error"]["code"] for row in told.values()] == ["batch_cancelled"] * 2
    expired = await finish(openai, expired, "expired")
    told = await results(openai, expired, "error")
    assert [row["error"]["code"] for row in told.values()] == ["batch_expired"] * 4


async def test_a_batch_can_be_held_and_listed(openai: Client) -> None:
    first, second = await create(openai, rows(line())), await create(openai, rows(line()))
    await openai.post(f"/_fake/batches/{first['id']}", json={"hold": "in_progress"})
    states = [(await get(openai, first))["status"] for _ in range(3)]
    assert states == ["in_progress"] * 3
    listed = await (await openai.get("/v1/batches?limit=1")).json()
    assert ([batch["id"] for batch in listed["data"]], listed["has_more"]) == ([second["id"]], True)
    assert (await openai.get("/v1/batches?limit=101")).status == 400
    assert (await openai.get("/v1/batches?order=asc")).status == 400
    assert (await openai.delete(f"/v1/batches/{first['id']}")).status == 405
