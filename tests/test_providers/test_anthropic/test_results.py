from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.anthropic.results import AnthropicResultLines, from_anthropic_line, missing_result
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import indexed_id
from providers.json_api.client import Answer
from providers.json_api.json_text import render_json
from providers.memory import MemoryBudget
from providers.resources import BatchState
from providers.status import Status
from tests.test_providers.answering import answer
from tests.test_providers.any_json import any_json, like
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

JOB = "0123456789abcdef" * 2
URL = f"{BASE}/v1/messages/batches/msgbatch_A/results"


def _line(**result: Any) -> dict[str, Any]:
    return {"custom_id": "r0000000001", "result": result}


def test_no_reason_shows_the_key() -> None:
    message = f"Not {CALLER.credential.secret}."
    error = {"type": "error", "error": {"type": "api_error", "message": message}}
    found = results(ScriptedUpstream()).translate(_line(type="errored", error=error))
    assert found == {"error": {"code": 14, "message": "Not ***."}}


def test_an_answer() -> None:
    line = _line(type="succeeded", message={"content": [{"type": "text", "text": "4"}]})
    result = from_anthropic_line(line)
    assert set(result) == {"response"}
    assert result["response"]["candidates"][0]["content"]["parts"] == [{"text": "4"}]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("invalid_request_error", 3),
        ("request_too_large", 3),
        ("authentication_error", 16),
        ("billing_error", 8),
        ("rate_limit_error", 8),
        ("permission_error", 7),
        ("not_found_error", 5),
        ("conflict_error", 10),
        ("api_error", 14),
        ("overloaded_error", 14),
        ("timeout_error", 4),
        ("new_error", 2),
    ],
)
def test_a_refusal_by_anthropic(kind: str, code: int) -> None:
    error = {"type": kind, "message": "why"}
    expected = {"error": {"code": code, "message": "why"}}
    envelope = {"type": "error", "error": error, "request_id": "req_1"}
    assert from_anthropic_line(_line(type="errored", error=envelope)) == expected
    assert from_anthropic_line(_line(type="errored", error=error)) == expected


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"type": "error", "error": {"type": "api_error"}}, 14, "api_error"),
        ({"type": "error", "error": {}}, 2, "Anthropic gave no reason"),
        ({}, 2, "Anthropic gave no reason"),
    ],
)
def test_a_refusal_without_a_reason(error: dict[str, Any], code: int, message: str) -> None:
    result = from_anthropic_line(_line(type="errored", error=error))
    assert result == {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(("kind", "code"), [("canceled", 1), ("expired", 4)])
def test_a_request_that_was_never_sent(kind: str, code: int) -> None:
    result = from_anthropic_line(_line(type=kind))
    assert set(result) == {"error"}
    assert result["error"]["code"] == code
    assert result["error"]["message"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (None, 13),
        ([], 13),
        ({}, 13),
        ({"result": []}, 13),
        (_line(), 13),
        (_line(type="new"), 13),
        (_line(type="succeeded"), 13),
        (_line(type="succeeded", message={}), 13),
        (_line(type="errored"), 13),
        (_line(type="succeeded", message={"content": [{"type": "new"}]}), 12),
    ],
)
def test_an_unreadable_line_is_one_failed_item(line: Any, code: int) -> None:
    result = from_anthropic_line(line)
    assert result["error"]["code"] == code
    assert result["error"]["message"]


@pytest.mark.parametrize(
    ("state", "code"),
    [(BatchState.CANCELLED, 1), (BatchState.EXPIRED, 4), (BatchState.SUCCEEDED, 13)],
)
def test_a_missing_result(state: BatchState, code: int) -> None:
    failure = missing_result(state)
    assert failure.status.number == code
    assert failure.message


# Any line is a result. Integers are those that a JSON parser returns.

_ANYTHING = any_json(st.integers(-(2**63), 2**64 - 1), "refusal", "AAAA")

_MESSAGE = {
    "id": "msg_1",
    "model": "m",
    "content": [
        {"type": "text", "text": "a", "citations": [{"url": "u", "title": "t"}]},
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ],
    "stop_reason": "refusal",
    "stop_details": {"explanation": "e"},
    "usage": {
        "input_tokens": 1,
        "cache_read_input_tokens": 1,
        "output_tokens": 2,
        "output_tokens_details": {"thinking_tokens": 1},
    },
}
_ERROR = {"type": "error", "error": {"type": "api_error", "message": "m"}}


@settings(deadline=None, max_examples=500)
@given(
    line=st.one_of(
        _ANYTHING,
        like(_line(type="succeeded", message=_MESSAGE), _ANYTHING),
        like(_MESSAGE, _ANYTHING).map(lambda message: _line(type="succeeded", message=message)),
        like(_ERROR, _ANYTHING).map(lambda error: _line(type="errored", error=error)),
    )
)
def test_any_line_is_a_result(line: Any) -> None:
    result = from_anthropic_line(line)
    assert set(result) in ({"response"}, {"error"})
    assert render_json(result)


def results(upstream: ScriptedUpstream, **batch: object) -> AnthropicResultLines:
    splitter = ResultSplitter(1000, MemoryBudget())
    native = Answer({"id": "msgbatch_A", "processing_status": "ended", "results_url": URL} | batch)
    return AnthropicResultLines(client(upstream), CALLER, native, splitter)


async def test_lines_come_from_the_configured_address() -> None:
    upstream = ScriptedUpstream(answer(b'{"a":1}\n\n{"b":2}'))
    lines = [line async for slice_ in results(upstream).slices() for line in slice_]
    assert lines == [b'{"a":1}', b'{"b":2}']
    assert str(upstream.sent[0].request.url) == URL
    assert upstream.done


@pytest.mark.parametrize("url", [None, ""])
async def test_results_that_anthropic_no_longer_keeps(url: str | None) -> None:
    upstream = ScriptedUpstream()
    lines = results(upstream, results_url=url)
    assert [slice_ async for slice_ in lines.slices()] == []
    assert lines.missing(1).status == Status.NOT_FOUND
    assert upstream.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/x",
        "http://api.anthropic.test/x",
        "https://api.anthropic.test@elsewhere.test/x",
        "//api.anthropic.test/x",
        "/v1/x",
        "https://[/x",
        7,
    ],
)
async def test_the_url_from_anthropic_is_never_called(url: object) -> None:
    """It may be relative, or name another host, which would then get the key."""
    upstream = ScriptedUpstream(answer(b'{"a":1}'))
    assert await anext(results(upstream, results_url=url).slices())
    assert [str(sent.request.url) for sent in upstream.sent] == [URL]


@pytest.mark.parametrize(
    ("text", "job"),
    [
        (b'{"custom_id": "%s"}\nmore' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s"}' % indexed_id(3).encode(), None),
        (b'{"custom_id": "somebody\'s"}', None),
        (b'{"custom_id": 7}', None),
        (b'{"custom_id": 7}\n{"custom_id": "%s"}' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s", "result": ' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s", "result": "' % indexed_id(3, JOB).encode() + b"m" * (2 << 20), JOB),
        (b'"text"', None),
        (b"[1]", None),
        (b"no json", None),
        (b"", None),
    ],
)
async def test_the_results_name_the_job(text: bytes, job: str | None) -> None:
    upstream = ScriptedUpstream(answer(text))
    assert await results(upstream).job_id() == job
    assert upstream.done
