"""What a request of a batch may contain, checked when it is answered, by the batch's version."""

from typing import Any

import pytest

from .conftest import Client
from .test_anthropic_batches import asking, request, run
from .test_anthropic_files import store

OLD, NEW = {"anthropic-version": "2023-06-01"}, {"anthropic-version": "2026-10-21"}
BETA = {"anthropic-beta": "files-api-2025-04-14"}
NO_SAMPLING = ("claude-opus-4-7", "claude-sonnet-5", "claude-haiku-5-5", "claude-fable-5")
RECENT = "claude-opus-4-6"
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = LOOSE | {"additionalProperties": False}
TOOL = {"name": "f", "input_schema": LOOSE}
THINK = {"type": "enabled", "budget_tokens": 1024}
OFF = {"type": "disabled"}
FORCED = {"tools": [TOOL], "tool_choice": {"type": "any"}}
NEVER_FORCED = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1")
NEVER_OFF = (*NEVER_FORCED, "claude-fable-5", "claude-mythos-5")
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
DOCUMENT = {"type": "document", "source": PDF}
TEXT = {"type": "text", "text": "x"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else content}


def claude(*content: Any) -> dict[str, Any]:
    return user(*content) | {"role": "assistant"}


def use(native_id: str = "t1") -> dict[str, Any]:
    return {"type": "tool_use", "id": native_id, "name": "f", "input": {}}


def result(native_id: str = "t1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": native_id, "content": "1", **more}


async def one(
    client: Client, headers: dict[str, str] | None = None, **changes: Any
) -> dict[str, Any]:
    """The result of a batch with one request."""
    return (await run(client, request(**changes), headers=headers or OLD))["a"]


def error_of(answered: dict[str, Any]) -> tuple[str, str]:
    assert answered["type"] == "errored", answered
    assert answered["error"]["request_id"].startswith("req_")
    error = answered["error"]["error"]
    return error["type"], error["message"]


def message_of(answered: dict[str, Any]) -> dict[str, Any]:
    assert answered["type"] == "succeeded", answered
    message: dict[str, Any] = answered["message"]
    return message


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        # fields
        ({"max_tokens": None}, "max_tokens:"),
        ({"max_tokens": -1}, "max_tokens:"),
        ({"max_tokens": 1.5}, "max_tokens:"),
        ({"messages": []}, "messages:"),
        ({"messages": None}, "messages:"),
        ({"stream": True}, "stream:"),
        ({"generationConfig": {}}, "generationConfig:"),
        ({"seed": 1}, "seed:"),
        ({"system": ""}, "system:"),
        ({"system": [{"type": "image", "source": PNG}]}, "system.0.type:"),
        ({"stop_sequences": [" \n"]}, "stop_sequences.0:"),
        ({"tools": [TOOL | {"input_schema": LOOSE | {"anyOf": [{}]}}]}, "tools.0.input_schema:"),
        (
            {"tools": [TOOL | {"input_schema": {"type": "object", "properties": {"$a": {}}}}]},
            "tools.0.input_schema.properties: Property keys should match pattern",
        ),
        ({"tools": [TOOL | {"input_schema": {"type": "array"}}]}, "tools.0.input_schema.type:"),
        ({"metadata": {"labels": "x"}}, "metadata.labels:"),
        ({"service_tier": "batch"}, "service_tier:"),
        # sampling
        ({"temperature": 1.1}, "temperature:"),
        ({"top_p": 2}, "top_p:"),
        ({"top_k": 1.5}, "top_k:"),
        ({"temperature": 0.5, "top_p": 0.5}, "top_p:"),
        # content
        ({"messages": [{"role": "model", "content": "x"}]}, "messages.0.role:"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role:"),
        ({"messages": [user("")]}, "messages.0.content:"),
        ({"messages": [user({"type": "text", "text": " "})]}, "messages.0.content.0.text:"),
        ({"messages": [user({"text": "x"})]}, "messages.0.content.0.type:"),
        ({"messages": [user({"type": "video"})]}, "messages.0.content.0.type:"),
        (
            {"messages": [user({"type": "image", "source": PNG | {"data": "-_-_"}})]},
            "messages.0.content.0.source.data:",
        ),
        (
            {"messages": [user({"type": "image", "source": PNG | {"media_type": "image/bmp"}})]},
            "messages.0.content.0.source.media_type:",
        ),
        (
            {"messages": [user({"type": "image", "source": {"type": "url", "url": "gs://b/o"}})]},
            "messages.0.content.0.source.url:",
        ),
        # turns
        ({"messages": [claude("x")]}, "messages.0.role:"),
        ({"messages": [user("x"), claude("y "), claude("z ")]}, "messages.1:"),
        ({"messages": [user("x"), claude("y")], "model": RECENT}, "messages.1:"),
        ({"messages": [user("x"), claude("y")], "thinking": THINK, "max_tokens": 2000}, "mess"),
        # tools
        ({"tools": [{"name": "a.b", "input_schema": LOOSE}]}, "tools.0.name:"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema:"),
        ({"tools": [{"name": "f", "input_schema": {"type": "string"}}]}, "tools.0.input_schema"),
        ({"tools": [{"name": "f", "parameters": LOOSE}]}, "tools.0.parameters:"),
        ({"tools": [TOOL, TOOL]}, "tools:"),
        ({"tools": [TOOL | {"strict": True}]}, "tools.0.input_schema:"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice:"),
        ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "tool_choice.type:"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "tool_choice:"),
        ({"messages": [user("x"), claude(use())]}, "messages.1:"),
        ({"messages": [user("x"), claude(use()), user("y")]}, "messages.2:"),
        ({"messages": [user("x"), claude(use("a b")), user(result("a b"))]}, "messages.1"),
        ({"messages": [user("x"), claude(use(), use()), user(result())]}, "messages.1:"),
        ({"messages": [user("x"), claude(use(), use("t2")), user(result())]}, "messages.2:"),
        (
            {"messages": [user("x"), claude(use()), user(TEXT, result())]},
            "messages.2.content.1:",
        ),
        (
            {"messages": [user("x"), claude(use()), user("y"), user(result())]},
            "messages.2.content.1:",
        ),
        (
            {"messages": [user("x"), claude(use()), user(result(), result())]},
            "messages.2.content.1:",
        ),
        ({"messages": [user(result())]}, "messages.0.content.0:"),
        ({"messages": [user(use())]}, "messages.0.content.0.type:"),
        (
            {"messages": [user("x"), claude(use()), user(result(is_error="no"))]},
            "messages.2.content.0.is_error:",
        ),
        # thinking and output
        ({"thinking": {"type": "enabled", "budget_tokens": 1023}}, "thinking.budget_tokens:"),
        ({"thinking": THINK, "max_tokens": 1024}, "thinking.budget_tokens:"),
        ({"thinking": {"type": "adaptive"}}, "thinking.type:"),
        ({"thinking": THINK, "model": "claude-opus-4-7", "max_tokens": 2000}, "thinking.type:"),
        *(({"thinking": OFF, "model": model}, "thinking.type:") for model in NEVER_OFF),
        *((FORCED | {"model": model}, "tool_choice:") for model in NEVER_FORCED),
        (
            {
                "thinking": THINK,
                "max_tokens": 2000,
                "tools": [TOOL],
                "tool_choice": {"type": "any"},
            },
            "tool_choice:",
        ),
        ({"thinking": THINK, "max_tokens": 2000, "temperature": 0.5}, "thinking:"),
        ({"thinking": THINK | {"include": True}}, "thinking.include:"),
        (
            {"messages": [user("x"), claude({"type": "thinking", "thinking": "y"}), user("z")]},
            "messages.1.content.0.signature:",
        ),
        (
            {
                "messages": [
                    user("x"),
                    claude({"type": "thinking", "thinking": "y", "signature": "AAAA"}),
                    user("z"),
                ]
            },
            "messages.1.content.0:",
        ),
        (
            {
                "messages": [user("x"), claude(use()), user(result())],
                "tools": [TOOL],
                "thinking": THINK,
                "max_tokens": 2000,
            },
            "messages.1.content.0:",
        ),
        ({"output_config": {"effort": "minimal"}, "model": RECENT}, "output_config.effort:"),
        ({"output_config": {"effort": "low"}}, "output_config.effort:"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": LOOSE}}},
            "output_config.format.schema:",
        ),
    ],
)
async def test_a_bad_parameter_is_an_error_of_its_request(
    anthropic: Client, changes: dict[str, Any], place: str
) -> None:
    kind, message = error_of(await one(anthropic, **changes))
    assert kind == "invalid_request_error"
    assert message.startswith(place), message


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0.5},
        {"top_k": 3, "top_p": 0.9},
        {"messages": [user("x"), claude("y")]},
        {"messages": [user("w"), user("x"), claude("y"), claude(DOCUMENT), user("z")]},
        {
            "messages": [
                user("x"),
                claude(
                    "y",
                ),
                claude(use()),
                user(result()),
                user("z"),
            ]
        },
        {"messages": [user(TEXT | {"citations": [{"type": "char_location"}]})]},
        {"messages": [user("x"), claude(use()), user(result(content=[DOCUMENT]), TEXT)]},
        {"tools": [TOOL | {"input_schema": CLOSED, "strict": True}]},
        {"thinking": THINK, "max_tokens": 2000, "temperature": 1},
        {"model": "claude-opus-4-5-20251101", "output_config": {"effort": "max"}},
        {"model": "claude-opus-4-7", "temperature": 1},
        {"model": "claude-opus-5", "thinking": OFF} | FORCED,
        {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}},
        *({"model": model} for model in NEVER_OFF),
        {"model": "claude-mythos-preview", "thinking": {"type": "adaptive"}},
        {"system": [TEXT | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"stream": False, "service_tier": "auto", "metadata": {"user_id": None}},
    ],
)
async def test_fields_that_the_old_version_accepts(
    anthropic: Client, changes: dict[str, Any]
) -> None:
    message_of(await one(anthropic, OLD, **changes))


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
async def test_sampling_parameters(anthropic: Client, name: str) -> None:
    """The new version refuses them for every model, newer models in every version."""
    asked = {name: 0 if name == "top_k" else 0.5}
    _, message = error_of(await one(anthropic, NEW, **asked))
    assert message.startswith(f"{name}: Unknown")
    for model in NO_SAMPLING:
        _, message = error_of(await one(anthropic, OLD, model=model, **asked))
        assert "deprecated for this model" in message
    message_of(await one(anthropic, NEW, temperature=None))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"messages": [user("x"), claude(DOCUMENT), user("z")]}, "messages.1.content.0.type:"),
        (
            {"messages": [user(TEXT | {"citations": [{"type": "char_location"}]})]},
            "messages.0.content.0.citations:",
        ),
    ],
)
async def test_fields_that_the_new_version_no_longer_accepts(
    anthropic: Client, changes: dict[str, Any], place: str
) -> None:
    message_of(await one(anthropic, OLD, **changes))
    assert error_of(await one(anthropic, NEW, **changes))[1].startswith(place)


@pytest.mark.parametrize(
    "model",
    ["claude-3-sonnet-20240229", "claude-opus-4-20250514", "gpt-4o", "models/claude-opus-5"],
)
async def test_unknown_models(anthropic: Client, model: str) -> None:
    assert error_of(await one(anthropic, model=model)) == ("not_found_error", f"model: {model}")


async def test_every_request_may_have_a_model_of_its_own(anthropic: Client) -> None:
    models = ["claude-haiku-4-5", "claude-opus-5-5", "claude-fable-5-2"]
    found = await run(anthropic, *(request(model, model=model) for model in models))
    assert {message_of(answered)["model"] for answered in found.values()} == set(models)


def naming(file_id: str, kind: str = "document") -> dict[str, Any]:
    block = {"type": kind, "source": {"type": "file", "file_id": file_id}}
    return {"messages": [user(block, TEXT)]}


async def test_files_that_requests_name(anthropic: Client) -> None:
    pdf, zipped = await store(anthropic), await store(anthropic, kind="application/zip")
    message_of(await one(anthropic, NEW, **naming(pdf)))
    message_of(await one(anthropic, OLD | BETA, **naming(pdf)))
    # The old version needs the beta of the Files API if a message names a file.
    assert "files-api-2025-04-14" in error_of(await one(anthropic, OLD, **naming(pdf)))[1]
    for wrong in (naming(pdf, "image"), naming(zipped)):
        assert error_of(await one(anthropic, NEW, **wrong))[0] == "invalid_request_error"
    inside = [
        user("x"),
        claude(use()),
        user(result(content=naming("file_no")["messages"][0]["content"])),
    ]
    assert "file_no" in error_of(await one(anthropic, NEW, messages=inside))[1]
    stranger = NEW | {"x-api-key": "sk-ant-api03-two"}
    response = await anthropic.post(
        "/v1/messages/batches",
        json={"requests": [{"custom_id": "a", "params": asking() | naming(pdf)}]},
        headers=stranger,
    )
    native_id = (await response.json())["id"]
    steered = await anthropic.post(f"/_fake/batches/{native_id}", json={"status": "ended"})
    assert (await steered.json())["request_counts"]["errored"] == 1
    await anthropic.post(f"/_fake/uploads/{pdf}", json={"status": "expired"})
    assert "expired" in error_of(await one(anthropic, NEW, **naming(pdf)))[1]
