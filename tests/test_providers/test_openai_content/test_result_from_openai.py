import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.json_api.json_text import render_json
from providers.openai_content.result_from_openai import from_openai_line
from tests.test_providers.any_json import any_json, like

_CHAT = "/v1/chat/completions"
_ENDPOINTS = [_CHAT, "/v1/responses", "/v1/embeddings"]


def _line(status_code: Any, body: Any) -> dict[str, Any]:
    return {
        "id": "batch_req_1",
        "custom_id": "r0000000001",
        "response": {"status_code": status_code, "request_id": "req_1", "body": body},
        "error": None,
    }


@pytest.mark.parametrize(
    ("endpoint", "body", "names"),
    [
        (_CHAT, {"choices": [{"message": {"content": "Hi"}}]}, {"candidates"}),
        ("/chat/completions", {"choices": [{"message": {"content": "Hi"}}]}, {"candidates"}),
        ("/v1/responses", {"status": "completed", "output": []}, {"candidates"}),
        ("/v1/embeddings", {"data": [{"embedding": [1]}]}, {"embedding"}),
    ],
)
def test_an_answer(endpoint: str, body: dict[str, Any], names: set[str]) -> None:
    result = from_openai_line(_line(200, body), endpoint)
    assert set(result) == {"response"}
    assert set(result["response"]) == names


@pytest.mark.parametrize(
    ("http", "body", "code", "message"),
    [
        (400, {"error": {"message": "why", "type": "invalid_request_error"}}, 3, "why"),
        (404, {"error": {"message": "why"}}, 5, "why"),
        (429, {"error": {"message": "why", "code": "insufficient_quota"}}, 8, "why"),
        (500, None, 14, "the provider answered with HTTP 500"),
        (503, {"error": "why"}, 14, "why"),
        (504, {"error": {"message": None}}, 4, "the provider answered with HTTP 504"),
        (400, {"object": "error", "message": "why", "code": 400}, 3, "why"),
        (422, {"detail": [{"msg": "why"}]}, 3, '[{"msg":"why"}]'),
        (404, "why", 5, "why"),
    ],
)
def test_a_refusal_by_openai(http: int, body: Any, code: int, message: str) -> None:
    result = from_openai_line(_line(http, body), _CHAT)
    assert result == {"error": {"code": code, "message": message}}


def test_an_error_next_to_the_response() -> None:
    line = _line(400, None) | {"error": {"object": "error", "message": "why", "code": 400}}
    assert from_openai_line(line, _CHAT) == {"error": {"code": 3, "message": "why"}}


_NO_REASON = "the provider wrote neither an answer nor a reason"


@pytest.mark.parametrize("body", [{}, None, ""])
def test_neither_an_answer_nor_a_reason(body: Any) -> None:
    assert from_openai_line(_line(0, body), _CHAT) == {"error": {"code": 2, "message": _NO_REASON}}


@pytest.mark.parametrize("status", [0, 200, None])
@pytest.mark.parametrize("body", [{}, None, ""])
def test_a_reason_next_to_an_empty_answer(status: Any, body: Any) -> None:
    line = _line(status, body) | {"error": {"code": "batch_expired", "message": "why"}}
    assert from_openai_line(line, _CHAT) == {"error": {"code": 4, "message": "why"}}


@pytest.mark.parametrize("endpoint", _ENDPOINTS)
def test_an_error_in_place_of_an_answer(endpoint: str) -> None:
    """vLLM may write it with the status 200."""
    error = {"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}
    refused = {"error": {"code": 3, "message": "too long"}}
    assert from_openai_line(_line(200, error), endpoint) == refused
    assert from_openai_line(_line(200, {"error": error}), endpoint) == refused


def test_a_code_stands_for_a_reason() -> None:
    line = _line(0, {}) | {"error": {"code": "batch_expired"}}
    assert from_openai_line(line, _CHAT) == {"error": {"code": 4, "message": "batch_expired"}}


def test_an_answer_next_to_an_empty_error() -> None:
    answer = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    for error in ({}, "", {"code": None, "message": None}):
        line = _line(200, answer) | {"error": error}
        assert from_openai_line(line, _CHAT) == from_openai_line(_line(200, answer), _CHAT)


@pytest.mark.parametrize("endpoint", [_CHAT, "/chat/completions", "", "/v1/embeddings"])
@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"object": "chat.completion", "choices": [{"message": {"content": "Hi"}}]}, "candidates"),
        ({"object": "response", "status": "completed", "output": []}, "candidates"),
        ({"object": "list", "data": [{"embedding": [1]}]}, "embedding"),
    ],
)
def test_an_answer_says_what_it_is(endpoint: str, body: dict[str, Any], name: str) -> None:
    assert name in from_openai_line(_line(200, body), endpoint)["response"]


@pytest.mark.parametrize("status", [None, "200", True, 200.5, {}, "ok"])
def test_an_answer_with_an_unreadable_status(status: Any) -> None:
    answer = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    result = from_openai_line(_line(status, answer), _CHAT)
    assert result == from_openai_line(_line(200, answer), _CHAT)


@pytest.mark.parametrize("status", [None, True, "ok"])
def test_a_refusal_with_an_unreadable_status(status: Any) -> None:
    error = {"code": "batch_expired", "message": "why"}
    refused = from_openai_line(_line(status, {"error": error}), _CHAT)
    assert refused == {"error": {"code": 4, "message": "why"}}
    assert from_openai_line({"response": {}, "error": error}, _CHAT) == refused
    assert from_openai_line(_line("400", {"error": error}), _CHAT)["error"]["code"] == 3


def test_a_body_given_as_text() -> None:
    answer = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    result = from_openai_line(_line(200, json.dumps(answer)), _CHAT)
    assert result == from_openai_line(_line(200, answer), _CHAT)
    assert result["response"]["candidates"][0]["content"]["parts"] == [{"text": "a"}]
    refused = from_openai_line(_line(400, '{"error":{"message":"why"}}'), _CHAT)
    assert refused == {"error": {"code": 3, "message": "why"}}
    for odd in ("", "<html>", "[]"):
        assert from_openai_line(_line(200, odd), _CHAT)["error"]["code"] == 13


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "batch_expired", "message": "why"}, 4, "why"),
        ({"code": "batch_cancelled", "message": "why"}, 1, "why"),
        ({"code": "odd", "message": "why"}, 2, "why"),
        ({"code": "odd"}, 2, "odd"),
        ({"code": 429, "message": "why"}, 8, "why"),
        ({"code": "404", "message": "why"}, 5, "why"),
        ({"code": 13, "message": "why"}, 2, "why"),
        ({"code": 429, "type": "server_error", "message": "why"}, 13, "why"),
        ({}, 2, "the provider gave no reason"),
        ("why", 2, "why"),
    ],
)
def test_a_request_that_was_never_sent(error: Any, code: int, message: str) -> None:
    line = {"custom_id": "r1", "response": None, "error": error}
    assert from_openai_line(line, _CHAT) == {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("line", "endpoint", "code"),
    [
        (None, _CHAT, 13),
        ([], _CHAT, 13),
        ({}, _CHAT, 13),
        ({"response": []}, _CHAT, 13),
        (_line("200", {}), _CHAT, 13),
        (_line("ok", None), _CHAT, 13),
        (_line(200, None), _CHAT, 13),
        (_line(200, {}), _CHAT, 13),
        (_line(200, {"choices": []}), "/v1/moderations", 13),
        (_line(200, {"choices": [{"message": {"audio": {}}}]}), _CHAT, 12),
    ],
)
def test_an_unreadable_line_is_one_failed_item(line: Any, endpoint: str, code: int) -> None:
    result = from_openai_line(line, endpoint)
    assert result["error"]["code"] == code
    assert result["error"]["message"]


# Any line is a result.

_ANYTHING = any_json(st.integers() | st.just(10**400), "{}", "[]", "AAAA", "AAAAAAAA")

_TOKEN = {"token": "a", "logprob": -1, "top_logprobs": [{"token": "b", "logprob": -2}]}
_CALL = {"name": "f", "arguments": "{}"}
_BODIES = [
    {
        "created": 1,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": {"content": [_TOKEN]},
                "message": {
                    "content": "a",
                    "refusal": "r",
                    "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}],
                    "tool_calls": [{"id": "1", "type": "function", "function": _CALL}],
                },
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 1}},
    },
    {
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "output": [
            {"type": "message", "content": [{"type": "output_text", "text": "a"}]},
            {"type": "reasoning", "summary": [{"text": "a"}]},
            {"type": "function_call", "call_id": "1"} | _CALL,
        ],
    },
    {"data": [{"index": 0, "embedding": [1, 0.5]}], "usage": {"prompt_tokens": 1}},
]


@settings(deadline=None, max_examples=500)
@given(
    line=st.one_of(
        _ANYTHING,
        *[like({"response": {"status_code": 200, "body": body}}, _ANYTHING) for body in _BODIES],
        *[like(body, _ANYTHING).map(lambda body: _line(200, body)) for body in _BODIES],
    ),
    endpoint=st.sampled_from(_ENDPOINTS),
)
def test_any_line_is_a_result(line: Any, endpoint: str) -> None:
    result = from_openai_line(line, endpoint)
    assert set(result) in ({"response"}, {"error"})
    assert render_json(result)
