"""How the fake Bedrock answers each record of a Converse job."""

import base64
import json
from typing import Any

import pytest

from tests.fakes.s3 import FILES_BUCKET

from .fake_bedrock_client import FakeBedrockClient, lines, record, said

NEW_CLAUDE = "global.anthropic.claude-opus-4-8"
NOVA = "us.amazon.nova-lite-v1:0"
PIXEL = base64.b64encode(b"a picture").decode()
TEXT = {"text": "look"}
TOOL = {"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}
THOUGHTS = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "additionalProperties": False,
}


def asking(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}], **more}


def test_an_answer_has_the_shape_of_converse(bedrock: FakeBedrockClient) -> None:
    body = {**said("hello there"), "inferenceConfig": {"maxTokens": 2, "temperature": 0.5}}
    output = bedrock.one(body)["modelOutput"]
    assert output["output"]["message"] == {
        "role": "assistant",
        "content": [{"text": "echo: hello"}],
    }
    assert output["stopReason"] == "max_tokens"
    usage = output["usage"]
    assert usage["outputTokens"] == 2
    assert usage["totalTokens"] == usage["inputTokens"] + 2


@pytest.mark.parametrize(
    ("more", "text", "content", "stop"),
    [
        (
            {},
            "please refuse",
            [{"text": "I'm sorry, I cannot help with that."}],
            "content_filtered",
        ),
        (
            {"inferenceConfig": {"stopSequences": ["b"]}},
            "a b c",
            [{"text": "echo: a"}],
            "stop_sequence",
        ),
        (
            {
                "outputConfig": {
                    "textFormat": {
                        "type": "json_schema",
                        "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA)}},
                    }
                }
            },
            "data",
            [{"text": '{"a":1}'}],
            "end_turn",
        ),
    ],
    ids=["refusal", "stop sequence", "schema"],
)
def test_an_answer_follows_the_request(
    bedrock: FakeBedrockClient, more: dict[str, Any], text: str, content: Any, stop: str
) -> None:
    output = bedrock.one({**said(text), **more})["modelOutput"]
    assert (output["output"]["message"]["content"], output["stopReason"]) == (content, stop)


def test_thoughts_come_back_unchanged(bedrock: FakeBedrockClient) -> None:
    body = {**said("why"), "additionalModelRequestFields": THOUGHTS}
    message = bedrock.one(body)["modelOutput"]["output"]["message"]
    thought = message["content"][0]["reasoningContent"]["reasoningText"]
    assert thought["text"] == "thinking about: why"
    following = [*body["messages"], message, {"role": "user", "content": [{"text": "and now"}]}]
    assert "modelOutput" in bedrock.one({"messages": following})
    thought["signature"] = "Zm9yZ2Vk"
    assert "signature" in bedrock.error({"messages": following})


def test_thoughts_are_redacted_when_asked(bedrock: FakeBedrockClient) -> None:
    body = {**said("please redact"), "additionalModelRequestFields": THOUGHTS}
    message = bedrock.one(body)["modelOutput"]["output"]["message"]
    assert "redactedContent" in message["content"][0]["reasoningContent"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({**said("a"), "modelId": "a"}, "modelId"),
        ({**said("a"), "stream": True}, "stream"),
        ({**said("a"), "toolConfig": {"tools": [TOOL]}}, "not supported in batch"),
        ({**said("a"), "inferenceConfig": {"maxTokens": 1.0}}, "inferenceConfig.maxTokens"),
        ({**said("a"), "inferenceConfig": {"temperature": 1.5}}, "inferenceConfig.temperature"),
        ({**said("a"), "inferenceConfig": {"topK": 1}}, "inferenceConfig.topK"),
        ({**said("a"), "system": [{"text": ""}]}, "system[0].text"),
        ({**said("a"), "system": "be brief"}, "system"),
        ({**said("a"), "additionalModelRequestFields": {"seed": 1}}, "seed"),
        (
            {**said("a"), "additionalModelRequestFields": {"thinking": {"type": "adaptive"}}},
            "adaptive",
        ),
        ({**said("a"), "outputConfig": {"effort": "low"}}, "effort"),
        (said(" "), "messages[0].content[0].text"),
        (asking(), "messages[0].content"),
        (asking({"type": "text", "text": "a"}), "messages[0].content[0].type"),
        (asking({"text": "a", "cachePoint": {"type": "default"}}), "exactly one"),
        ({"messages": [{"role": "assistant", "content": [TEXT]}]}, "must start with a user"),
        ({"messages": [{"role": "user", "content": [TEXT]}] * 2}, "must alternate"),
        (asking({"toolResult": {"toolUseId": "a", "content": []}}), "Expected toolResult"),
        (asking({"toolUse": {"toolUseId": "a", "name": "t", "input": {}}}), "not permitted"),
        (asking({"image": {"format": "bmp", "source": {"bytes": PIXEL}}}), "image.format"),
        (asking({"image": {"format": "png", "source": {"bytes": "_-"}}}), "base64"),
        (asking({"image": {"format": "png", "source": {"bytes": ""}}}), "at least 1"),
        (asking({"video": {"format": "mp4", "source": {"bytes": PIXEL}}}), "video"),
        (
            asking({"document": {"format": "pdf", "name": "a", "source": {"bytes": PIXEL}}}),
            "with a text",
        ),
        (
            asking(
                TEXT, {"document": {"format": "pdf", "name": "a_b", "source": {"bytes": PIXEL}}}
            ),
            "document.name",
        ),
    ],
)
def test_an_invalid_request_is_an_error_of_its_own(
    bedrock: FakeBedrockClient, body: dict[str, Any], where: str
) -> None:
    assert where in bedrock.error(body)


def test_media_are_accepted_if_the_model_accepts_them(bedrock: FakeBedrockClient) -> None:
    document = {"document": {"format": "pdf", "name": "a-1 (b)", "source": {"bytes": PIXEL}}}
    image = {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    assert "modelOutput" in bedrock.one(asking(TEXT, document, image))
    video = {"video": {"format": "mp4", "source": {"bytes": PIXEL}}}
    assert "modelOutput" in bedrock.one(asking(TEXT, video), modelId=NOVA)


def test_a_new_claude_refuses_sampling_parameters(bedrock: FakeBedrockClient) -> None:
    body = {**said("a"), "inferenceConfig": {"temperature": 0.5}}
    assert "temperature" in bedrock.error(body, modelId=NEW_CLAUDE)
    body = {**said("a"), "outputConfig": {"effort": "low"}}
    assert "modelOutput" in bedrock.one(body, modelId=NEW_CLAUDE)


def test_objects_that_a_record_names_are_in_the_folder_of_the_job(
    bedrock: FakeBedrockClient,
) -> None:
    def picture(uri: str) -> dict[str, Any]:
        return asking(TEXT, {"image": {"format": "png", "source": {"s3Location": {"uri": uri}}}})

    uris = [f"s3://{FILES_BUCKET}/{key}" for key in ("in/a.png", "in/absent.png", "other/a.png")]
    bedrock.put("in/a.png", b"a picture")
    bedrock.put("other/a.png", b"a picture")
    bedrock.put("in/a.jsonl", lines([record(n, picture(uri)) for n, uri in enumerate(uris)]))
    outcomes = {}
    for place in ("in/", "in/a.jsonl"):
        uri = f"s3://{FILES_BUCKET}/{place}"
        job = bedrock.create(inputDataConfig={"s3InputDataConfig": {"s3Uri": uri}})
        bedrock.ended(job)
        written = sorted(bedrock.output(job), key=lambda line: str(line["recordId"]))
        outcomes[place] = ["modelOutput" in line for line in written]
    assert outcomes == {"in/": [True, False, False], "in/a.jsonl": [False, False, False]}
