"""The log line of a refused request says why, and contains no key, prompt or answer."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.credential import Credential
from providers.errors import FerryError, invalid_argument, not_found
from providers.provider import KeyForm
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_middlewares.logged_line import logged
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = "sk-the-callers-own-key"


def raising(error: FerryError) -> Scripted:
    def act(*_: object) -> None:
        raise error

    return Scripted(act)


async def line_of(
    caplog: pytest.LogCaptureFixture,
    error: FerryError,
    target: str = "/genai/v1beta/files/file-abc",
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What is logged if the provider refuses with `error`."""
    caplog.set_level(logging.INFO, logger="genai_ferry")
    provider = scripted_provider("openai", files=raising(error))
    async with running_chain(provider) as client:
        sent = {"x-goog-api-key": KEY, **(headers or {})}
        async with client.get(target, headers=sent) as reply:
            document = logged(caplog, KEY)
            assert document["request_id"] == reply.headers["x-ferry-request-id"]
            assert document["status"] == reply.status
    return document


async def test_our_own_refusal_has_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(caplog, invalid_argument("must be a string", path="batch.displayName"))
    assert (line["refused"], line["status"]) == ("INVALID_ARGUMENT", 400)
    assert line["why"] == "batch.displayName: must be a string"
    assert (line["path"], line["provider"]) == ("batch.displayName", "openai")
    assert line["resource"] == "files/file-abc"
    assert "upstream_status" not in line


async def test_an_upstreams_refusal_is_its_status_type_and_id_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = FerryError(
        Status.INVALID_ARGUMENT,
        "openai: Invalid value: 'what the prompt was'",
        provider="openai",
        reason="invalid_value",
        request_id="req_123",
        upstream_status=400,
    )
    line = await line_of(caplog, error)
    assert line["upstream_status"] == 400
    assert (line["upstream_error"], line["upstream_request_id"]) == ("invalid_value", "req_123")
    assert "why" not in line
    assert "prompt" not in str(line)


async def test_an_invalid_code_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    error = FerryError(
        Status.INTERNAL, "x", provider="openai", reason="what the prompt was", request_id="a\nb"
    )
    line = await line_of(caplog, error)
    assert not {"upstream_error", "upstream_request_id"} & set(line)


async def test_an_upstream_without_a_usable_answer(caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(caplog, UpstreamError(Status.UNAVAILABLE, "api.example cannot be reached"))
    assert (line["refused"], line["why"]) == ("UNAVAILABLE", "api.example cannot be reached")


@pytest.mark.parametrize("where", ["why", "path"])
async def test_texts_are_bounded(caplog: pytest.LogCaptureFixture, where: str) -> None:
    line = await line_of(caplog, invalid_argument("m" * 3000, path="p" * 3000))
    assert len(line[where]) <= 500


async def test_the_key_is_masked_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(caplog, not_found("x"), target=f"/genai/v1beta/files/{KEY}")
    assert line["resource"] == "files/***"


@pytest.mark.parametrize("reason", [None, "own-key-of-no-form"])
async def test_the_proxys_own_key_is_masked(
    caplog: pytest.LogCaptureFixture, reason: str | None
) -> None:
    """Some providers' keys have no form by which they are known."""
    own = Credential(api_key="own-key-of-no-form")
    caplog.set_level(logging.INFO, logger="genai_ferry")
    error = UpstreamError(Status.UNAVAILABLE, f"odd {own.api_key}", reason=reason)
    provider = replace(scripted_provider("openai", files=raising(error)), own_credential=own)
    async with running_chain(provider, tokens=["token-of-ann"]) as client:
        await client.get("/genai/v1beta/files/file-x", headers={"x-goog-api-key": "token-of-ann"})
    assert logged(caplog, own.secret)["refused"] == "UNAVAILABLE"


async def test_another_providers_key_in_a_message_is_masked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    form = KeyForm(re.compile(r"AIza[A-Za-z0-9]{8,80}"), "a key of Gemini's")
    caplog.set_level(logging.INFO, logger="genai_ferry")
    provider = scripted_provider("openai", key_forms=[form], files=raising(not_found("x")))
    async with running_chain(provider) as client:
        target = "/genai/v1beta/files?pageSize=AIzaSecret99"
        await client.get(target, headers={"x-goog-api-key": KEY})
    line = logged(caplog, KEY)
    assert line["why"] == "pageSize: '***' is not a page size"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("AIzaSecret99", "***"),
        ("AIzaSecret99/x", "***/x"),
        ("x/AIzaSecret99", "x/***"),
        ("AKIA1234:sec/ret/99", "***"),
        ("x" * 190 + "/AKIA1234:" + "secret99" * 20, "x" * 190 + "/***"),
    ],
)
async def test_another_providers_key_in_a_name_is_masked(
    caplog: pytest.LogCaptureFixture, name: str, shown: str
) -> None:
    forms = [r"AIza[A-Za-z0-9]{8,80}", r"AKIA\w{4}:\S+"]
    keys = [KeyForm(re.compile(form), "a key") for form in forms]
    caplog.set_level(logging.INFO, logger="genai_ferry")
    provider = scripted_provider("openai", key_forms=keys, files=raising(not_found("x")))
    async with running_chain(provider) as client:
        target = f"/genai/v1beta/files/{name}"
        await client.get(target, headers={"x-goog-api-key": KEY, "x-model-provider": "openai"})
    assert logged(caplog, KEY)["resource"] == f"files/{shown}"[:200]


async def test_a_long_key_is_masked_before_its_name_is_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = "token" * 100
    target = f"/genai/v1beta/files/{key}"
    line = await line_of(caplog, not_found("x"), target, {"x-goog-api-key": key})
    assert line["resource"] == "files/***"


async def test_a_key_for_a_providers_name_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"x-model-provider": "AIzaThisIsAKeyThatIsLongEnough"}
    line = await line_of(caplog, not_found("x"), headers=headers)
    assert line["why"] == "unknown x-model-provider (too long to be shown); known: openai"


async def test_a_request_that_was_answered_is_not_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    gemini = scripted_provider("gemini", relay=Scripted(lambda *_: ScriptedReply()))
    async with running_chain(gemini) as client:
        await client.get("/genai/v1/files/abc", headers={"x-goog-api-key": KEY})
    assert not {"refused", "why", "resource"} & set(logged(caplog, KEY))


async def test_a_relayed_refusal_has_the_upstreams_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry")
    relay = Scripted(lambda *_: ScriptedReply(status=403, body=b"what the prompt was"))
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        await client.get("/genai/v1/files/abc", headers={"x-goog-api-key": KEY})
    line = logged(caplog, KEY)
    assert (line["resource"], line["upstream_status"], line["status"]) == ("files/abc", 403, 403)
    assert "prompt" not in str(line)


PROMPT = "tell-me-the-prompt-of-this-test"
_MEMBERS = [
    *("batch", "inputConfig", "requests", "request", "metadata", "contents", "parts", "text"),
    *("role", "fileName", "displayName", "key", "systemInstruction", "generationConfig"),
]
_JSON = st.recursive(
    st.sampled_from([PROMPT, 1, None, True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_MEMBERS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_JSON)
async def test_no_refusal_logs_a_value_of_the_body(
    caplog: pytest.LogCaptureFixture, body: object
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="genai_ferry")
    provider = scripted_provider("openai", batches=raising(not_found("x")))
    async with running_chain(provider) as client:
        target = "/genai/v1beta/models/gpt-4o:batchGenerateContent"
        headers = {"x-goog-api-key": KEY, "Content-Type": "application/json"}
        async with client.post(target, headers=headers, data=orjson.dumps(body)) as reply:
            assert reply.status >= 400
    line = logged(caplog, KEY)
    assert line["refused"]
    assert PROMPT not in str({**line, "input_file": None})
