"""The bodies of lines at the fake Mistral: what fails its line, and what is answered."""

from typing import Any

import pytest

from .conftest import Client
from .test_mistral_jobs import CHAT, EMBEDDINGS, create, line, results, rows, steer

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "abcDEF123", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USER = {"role": "user", "content": "x"}
CALLED = {"role": "assistant", "tool_calls": [CALL]}
ANSWERED = {"role": "tool", "content": "1", "tool_call_id": "abcDEF123"}
SAID = {"role": "assistant", "content": "y"}


async def run(
    client: Client, body: dict[str, Any], endpoint: str = CHAT, model: str | None = ""
) -> dict[str, Any]:
    """The result of a job with one request."""
    usual = "mistral-small-latest" if endpoint == CHAT else "mistral-embed"
    job = await create(
        client,
        input_files=None,
        requests=[line(body=body)],
        endpoint=endpoint,
        model=usual if model == "" else model,
    )
    await steer(client, job, status="SUCCESS")
    shown = await (await client.get(f"/v1/batch/jobs/{job['id']}?inline=true")).json()
    (result,) = shown["outputs"]
    assert result["error"] is None
    response: dict[str, Any] = result["response"]
    return response


def chat(*messages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"messages": list(messages or (USER,)), **changes}


def part(**chunk: Any) -> dict[str, Any]:
    return chat({"role": "user", "content": [chunk]})


def schema(**changes: Any) -> dict[str, Any]:
    known = {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    return {"type": "json_schema", "json_schema": known | changes}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["messages"]),
        (chat() | {"messages": []}, ["messages"]),
        (chat(model="mistral-large-latest"), ["model"]),
        (chat(max_completion_tokens=1), ["max_completion_tokens"]),
        (chat(seed=1), ["seed"]),
        (chat(user="a"), ["user"]),
        (chat(stream=True), ["stream"]),
        (chat(temperature=1.6), ["temperature"]),
        (chat(temperature="1"), ["temperature"]),
        (chat(top_p=1.1), ["top_p"]),
        (chat(max_tokens=0), ["max_tokens"]),
        (chat(random_seed=-1), ["random_seed"]),
        (chat(random_seed=1.5), ["random_seed"]),
        (chat(n=0), ["n"]),
        (chat(stop=[""]), ["stop", 0]),
        (chat(reasoning_effort="HIGH"), ["reasoning_effort"]),
        (chat(prompt_mode="fast"), ["prompt_mode"]),
        (chat(service_tier="flex"), ["service_tier"]),
        (chat(logit_bias={}), ["logit_bias"]),
        (chat({"role": "developer", "content": "x"}), ["messages", 0, "role"]),
        (chat({"role": "user"}), ["messages", 0, "user", "content"]),
        (chat(USER | {"name": "a"}), ["messages", 0, "user", "name"]),
        (chat(USER | {"tool_calls": []}), ["messages", 0, "user", "tool_calls"]),
        (
            chat(SAID | {"reasoning_content": ""}, USER),
            ["messages", 0, "assistant", "reasoning_content"],
        ),
        (chat({"role": "system", "content": None}), ["messages", 0, "system", "content"]),
        (part(type="text"), ["messages", 0, "user", "content", 0, "text"]),
        (part(type="refusal", refusal="no"), ["messages", 0, "user", "content", 0, "type"]),
        (
            part(type="image_url", image_url="a.png"),
            ["messages", 0, "user", "content", 0, "image_url"],
        ),
        (
            part(type="image_url", image_url="data:image/png;base64,"),
            ["messages", 0, "user", "content", 0, "image_url"],
        ),
        (part(type="file", file_id="file-1"), ["messages", 0, "user", "content", 0, "file_id"]),
        (chat(tools=[]), ["tools"]),
        (chat(tools=[TOOL["function"]]), ["tools", 0, "name"]),
        (
            chat(tools=[{"type": "function", "function": {"name": "f"}}]),
            ["tools", 0, "function", "parameters"],
        ),
        (chat(tools=[TOOL, TOOL]), ["tools"]),
        (chat(tool_choice="auto"), ["tool_choice"]),
        (chat(parallel_tool_calls=True), ["parallel_tool_calls"]),
        (
            chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "g"}}),
            ["tool_choice"],
        ),
        (chat(response_format={"type": "json_schema"}), ["response_format", "json_schema"]),
        (
            chat(response_format={"type": "text", "json_schema": None}),
            ["response_format", "json_schema"],
        ),
        (
            chat(response_format=schema(schema=None)),
            ["response_format", "json_schema", "schema"],
        ),
    ],
)
async def test_a_bad_parameter_fails_its_line(
    mistral: Client, body: dict[str, Any], where: list[Any]
) -> None:
    response = await run(mistral, body)
    assert response["status_code"] == 422
    error = response["body"]
    assert (error["object"], error["type"]) == ("error", "invalid_request_error")
    (problem,) = error["message"]["detail"]
    assert problem["loc"] == ["body", *where]


@pytest.mark.parametrize(
    ("messages", "code", "text"),
    [
        ([SAID], "3230", "must start with a user message"),
        ([USER, CALLED, ANSWERED, USER], "3230", "Unexpected role 'user' after role 'tool'"),
        ([USER, {"role": "system", "content": "a"}, ANSWERED], "3230", "'tool' after role"),
        ([USER, SAID], "3230", "Expected last role User or Tool"),
        ([USER, {"role": "system", "content": "a"}], "3230", "Expected last role User or Tool"),
        ([USER, CALLED, USER], "3230", "Not the same number"),
        ([USER, CALLED | {"prefix": True}], "3230", "Not the same number"),
        ([USER, {"role": "assistant", "tool_calls": [CALL] * 2}, USER], "3230", "Duplicate"),
        ([USER, SAID, ANSWERED], "3230", "Unexpected tool call id"),
        ([USER, CALLED, ANSWERED, ANSWERED], "3230", "Unexpected tool call id"),
        (
            [USER, {"role": "assistant", "tool_calls": [CALL | {"id": "call_1"}]}, ANSWERED],
            "3280",
            "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.",
        ),
        ([USER, CALLED, ANSWERED | {"tool_call_id": "call_1"}], "3280", "Tool call id was"),
        ([USER, CALLED, ANSWERED | {"tool_call_id": None}], None, "has to be defined"),
        ([USER, CALLED, ANSWERED | {"name": "a.b"}], "3280", "Function name was a.b"),
        ([USER, {"role": "assistant", "content": ""}, USER], None, "either content or tool_calls"),
        ([USER, SAID | {"prefix": True}, USER], None, "must be last message"),
    ],
)
async def test_the_order_of_messages(
    mistral: Client, messages: list[dict[str, Any]], code: str | None, text: str
) -> None:
    response = await run(mistral, chat(*messages))
    assert response["status_code"] == 400
    error = response["body"]
    assert (error["code"], text in error["message"]) == (code, True)


async def test_names_and_json_mode(mistral: Client) -> None:
    named = {"type": "function", "function": {"name": "a.b", "parameters": {}}}
    for body in (chat(tools=[named]), chat(response_format={"type": "json_object"})):
        assert (await run(mistral, body))["status_code"] == 400


@pytest.mark.parametrize(
    ("changes", "expected", "finish"),
    [
        ({}, "echo: x", "stop"),
        ({"max_tokens": 1}, "echo:", "length"),
        ({"response_format": schema()}, '{"a":"text"}', "stop"),
        ({"messages": [USER, CALLED, ANSWERED]}, "echo: 1", "stop"),
        ({"messages": [USER, SAID | {"prefix": True}]}, "echo: x", "stop"),
        (
            {
                "messages": [USER | {"content": "as json"}],
                "response_format": {"type": "json_object"},
            },
            '{"echo":"as json"}',
            "stop",
        ),
        ({"messages": [USER | {"content": "please refuse"}]}, "", "error"),
        ({"tools": [TOOL], "tool_choice": "none", "stream": False}, "echo: x", "stop"),
    ],
)
async def test_answers_derive_from_the_request(
    mistral: Client, changes: dict[str, Any], expected: str, finish: str
) -> None:
    response = await run(mistral, chat(**changes) if "messages" not in changes else changes)
    assert response["status_code"] == 200, response
    (choice,) = response["body"]["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (expected, finish)
    usage = response["body"]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_thoughts_come_before_the_text(mistral: Client) -> None:
    choice = (await run(mistral, chat(reasoning_effort="high")))["body"]["choices"][0]
    kinds = [chunk["type"] for chunk in choice["message"]["content"]]
    assert (kinds, choice["message"]["content"][1]["text"]) == (["thinking", "text"], "echo: x")


@pytest.mark.parametrize("choice", ["any", "required", CALL | {"function": {"name": "f"}}])
async def test_a_tool_is_called(mistral: Client, choice: Any) -> None:
    if isinstance(choice, dict):
        del choice["id"]
    body = chat(tools=[TOOL], tool_choice=choice)
    made = (await run(mistral, body))["body"]["choices"][0]
    (call,) = made["message"]["tool_calls"]
    assert made["finish_reason"] == "tool_calls"
    assert call["function"] == {"name": "f", "arguments": "{}"}
    again = {"role": "assistant", "tool_calls": [call]}
    answered = ANSWERED | {"tool_call_id": call["id"]}
    assert (await run(mistral, chat(USER, again, answered)))["status_code"] == 200


async def test_the_model_is_the_jobs_or_the_lines(mistral: Client) -> None:
    both = await run(mistral, chat(model="mistral-small-latest"))
    assert both["body"]["model"] == "mistral-small-latest"
    own = await run(mistral, chat(model="ministral-3b-latest"), model=None)
    assert own["body"]["model"] == "ministral-3b-latest"
    assert (await run(mistral, chat(), model=None))["status_code"] == 422
    assert (await run(mistral, chat(model="gpt-4o"), model=None))["status_code"] == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"input": ""}, 422),
        ({"input": []}, 422),
        ({"input": [1, 2]}, 422),
        ({"input": "a", "dimensions": 3}, 422),
        ({"input": "a", "encoding_format": "base64"}, 422),
        ({"input": "a", "output_dimension": 3}, 400),
        ({"input": "please fail"}, 400),
    ],
)
async def test_bad_embeddings(mistral: Client, body: dict[str, Any], status: int) -> None:
    assert (await run(mistral, body, EMBEDDINGS))["status_code"] == status


async def test_embeddings(mistral: Client) -> None:
    usual = (await run(mistral, {"input": ["one", "two words"]}, EMBEDDINGS))["body"]
    assert [len(each["embedding"]) for each in usual["data"]] == [8, 8]
    assert usual["usage"]["total_tokens"] == 3
    body = {"input": "one", "output_dimension": 3}
    sized = (await run(mistral, body, EMBEDDINGS, "codestral-embed"))["body"]
    assert sized["data"][0]["embedding"] == usual["data"][0]["embedding"][:3]


async def test_settings_change_answers(mistral: Client) -> None:
    await mistral.post("/_fake/settings", json={"answer_bytes": 20, "answer": {"object": "o"}})
    job = await create(mistral, rows(line()))
    job = await steer(mistral, job, status="SUCCESS")
    body = (await results(mistral, job, "output"))["a"]["response"]["body"]
    assert (body["object"], body["choices"][0]["message"]["content"]) == (
        "o",
        "echo: hi".ljust(20, "."),
    )
