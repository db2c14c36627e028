"""The fake Bedrock's runtime: one request answered immediately, delayed, or refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fakes.s3 import FILES_BUCKET

from .fake_bedrock_client import CLAUDE, FakeBedrockClient, refused, said

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ferrytests01"
CONVERSE = "/converse$"
TOOL = {
    "toolSpec": {
        "name": "look_up",
        "inputSchema": {"json": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
}
USE = {"toolUse": {"toolUseId": "u1", "name": "look_up", "input": {"a": 1}}}
RESULT = {"toolResult": {"toolUseId": "u1", "content": [{"json": {"b": 2}}]}}


def converse(bedrock: FakeBedrockClient, text: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = bedrock.runtime.converse(modelId=CLAUDE, **said(text), **more)
    return answer


@pytest.mark.parametrize("model", [CLAUDE, PROFILE], ids=["id", "ARN"])
def test_converse_answers(bedrock: FakeBedrockClient, model: str) -> None:
    answer = bedrock.runtime.converse(modelId=model, **said("hello"))
    assert answer["output"]["message"]["content"] == [{"text": "echo: hello"}]
    assert answer["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    ("text", "choice", "calls"),
    [
        ("hello", {"auto": {}}, False),
        ("call the tool", {"auto": {}}, True),
        ("hello", {"any": {}}, True),
        ("hello", {"tool": {"name": "look_up"}}, True),
    ],
)
def test_tools_are_called(
    bedrock: FakeBedrockClient, text: str, choice: dict[str, Any], calls: bool
) -> None:
    answer = converse(bedrock, text, toolConfig={"tools": [TOOL], "toolChoice": choice})
    [block] = answer["output"]["message"]["content"]
    assert answer["stopReason"] == ("tool_use" if calls else "end_turn")
    assert ("toolUse" in block) is calls
    if calls:
        assert (block["toolUse"]["name"], block["toolUse"]["input"]) == ("look_up", {"a": 1})


def history(*turns: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in turns]


def test_the_results_of_tools_answer_their_uses(bedrock: FakeBedrockClient) -> None:
    ask, use = ("user", [{"text": "a"}]), ("assistant", [USE])
    tools = {"toolConfig": {"tools": [TOOL]}}
    call = bedrock.runtime.converse
    good = history(ask, use, ("user", [RESULT, {"text": "and"}]))
    assert call(modelId=CLAUDE, messages=good, **tools)["stopReason"] == "end_turn"
    for messages, more in (
        (good, {}),
        (history(ask, use, ("user", [{"text": "and"}, RESULT])), tools),
        (history(ask, use, ("user", [{"text": "and"}])), tools),
        (history(ask, use, ("user", [RESULT, RESULT])), tools),
        (history(ask, use), tools),
    ):
        answer = refused(call, modelId=CLAUDE, messages=messages, **more)
        assert (answer.status, answer.code) == (400, "ValidationException")


def test_the_thought_before_a_use_must_come_back(bedrock: FakeBedrockClient) -> None:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    asked: dict[str, Any] = {
        "modelId": CLAUDE,
        "toolConfig": {"tools": [TOOL]},
        "inferenceConfig": {"maxTokens": 4000},
        "additionalModelRequestFields": thinking,
    }
    ask = ("user", [{"text": "call the tool"}])
    called = bedrock.runtime.converse(messages=history(ask), **asked)["output"]["message"]
    use = next(block["toolUse"] for block in called["content"] if "toolUse" in block)
    results = ("user", [{"toolResult": {"toolUseId": use["toolUseId"], "content": []}}])
    forgotten = history(ask, ("assistant", [{"toolUse": use}]), results)
    answer = refused(bedrock.runtime.converse, messages=forgotten, **asked)
    assert "must start with a thinking block" in answer.message
    kept = history(ask, ("assistant", called["content"]), results)
    assert bedrock.runtime.converse(messages=kept, **asked)["stopReason"] == "end_turn"


def test_invoke_answers_in_the_models_own_format(bedrock: FakeBedrockClient) -> None:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hello"}],
    }
    answer = bedrock.runtime.invoke_model(
        modelId=CLAUDE, body=json.dumps(body), contentType="application/json"
    )
    assert json.load(answer["body"])["content"][0]["text"] == "echo: hello"
    del body["max_tokens"]
    wrong = refused(
        bedrock.runtime.invoke_model,
        modelId=CLAUDE,
        body=json.dumps(body),
        contentType="application/json",
    )
    assert (wrong.status, wrong.code) == (400, "ValidationException")


def test_an_invalid_request_is_refused(bedrock: FakeBedrockClient) -> None:
    path = f"/model/{CLAUDE.replace(':', '%3A')}/converse"
    for body in ({}, {**said("a"), "modelId": CLAUDE}, {**said("a"), "surprise": 1}, said("")):
        answer = bedrock.send("POST", path, body)
        assert (answer.status, answer.error) == (400, "ValidationException")
    assert refused(bedrock.runtime.converse, modelId="gpt-4o", **said("a")).status == 400
    failed = refused(bedrock.runtime.converse, modelId=CLAUDE, **said("please fail"))
    assert (failed.code, failed.message) == ("ValidationException", "The request asked to fail.")


def test_an_object_in_s3_must_exist(bedrock: FakeBedrockClient) -> None:
    def picture(key: str) -> list[dict[str, Any]]:
        source = {"s3Location": {"uri": f"s3://{FILES_BUCKET}/{key}"}}
        return history(("user", [{"image": {"format": "png", "source": source}}]))

    bedrock.put("anywhere/a.png", b"a picture")
    call = bedrock.runtime.converse
    assert call(modelId=CLAUDE, messages=picture("anywhere/a.png"))["stopReason"] == "end_turn"
    absent = refused(call, modelId=CLAUDE, messages=picture("anywhere/b.png"))
    assert absent.code == "ValidationException"


def test_it_throttles_on_demand(bedrock: FakeBedrockClient) -> None:
    fault = {
        "kind": "status",
        "status": 429,
        "headers": {"x-amzn-ErrorType": "ThrottlingException"},
        "body": {"message": "Too many requests"},
    }
    bedrock.control("faults", {"match": {"path": CONVERSE}, "fault": fault})
    answer = refused(bedrock.runtime.converse, modelId=CLAUDE, **said("a"))
    assert (answer.status, answer.code) == (429, "ThrottlingException")
    assert converse(bedrock, "a")["stopReason"] == "end_turn"


def test_answers_are_delayed_until_their_release(bedrock: FakeBedrockClient) -> None:
    fault = {"kind": "delay", "name": "held", "at": "answer"}
    bedrock.control("faults", {"match": {"path": CONVERSE, "times": 3}, "fault": fault})
    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(converse, bedrock, f"question {n}") for n in range(3)]
        bedrock.control("events", wait="asked", path=CONVERSE, count="3")
        held = bedrock.control("requests", path=CONVERSE, outcome="open")["requests"]
        assert {request["asked"] for request in held} == {f"question {n}" for n in range(3)}
        assert sorted(request["alongside"] for request in held) == [0, 1, 2]
        assert not any(call.done() for call in calls)
        bedrock.control("release", {"name": "held"})
        assert {call.result()["stopReason"] for call in calls} == {"end_turn"}
    converse(bedrock, "question 0")
    asked = [r["asked"] for r in bedrock.control("requests", path=CONVERSE)["requests"]]
    assert sorted(asked) == ["question 0", "question 0", "question 1", "question 2"]


def test_s3_has_the_same_control_surface(bedrock: FakeBedrockClient) -> None:
    bedrock.put("a", b"b")
    [put] = bedrock.control("requests", method="PUT")["requests"]
    assert (put["path"], put["received"]) == (f"/{FILES_BUCKET}/a", 1)
    assert bedrock.control("objects")["files"] == ["a"]
    assert len(bedrock.control("files/a/sha256")["sha256"]) == 64
