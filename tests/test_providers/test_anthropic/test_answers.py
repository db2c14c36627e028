"""The lines of results that the proxy writes itself, in Anthropic's form."""

from typing import Any

import orjson
import pytest
from anthropic.types.beta.messages import BetaMessageBatchIndividualResponse
from hypothesis import given
from hypothesis import strategies as st

from providers.anthropic.answers import AnthropicAnswers
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def answers(*scripted: Answer) -> tuple[AnthropicAnswers, ScriptedUpstream]:
    upstream = ScriptedUpstream(*scripted)
    return AnthropicAnswers(client(upstream), 1000), upstream


def item(**params: Any) -> bytes:
    return orjson.dumps({"custom_id": "r0", "params": {"model": "claude", **params}})


@pytest.mark.parametrize(("params", "version"), [({}, "2026-10-21"), ({"top_k": 1}, "2023-06-01")])
async def test_an_answer_is_a_line_like_anthropics_own(
    params: dict[str, Any], version: str
) -> None:
    claude, upstream = answers(answer(orjson.dumps(MESSAGE, option=orjson.OPT_INDENT_2)))
    line = await claude.answer(CALLER, "claude", "v1/messages", item(**params))
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert not line.startswith(claude.error_head)
    [sent] = upstream.sent
    assert sent.request.headers["anthropic-version"] == version
    assert orjson.loads(sent.body) == {"model": "claude", **params}
    assert BetaMessageBatchIndividualResponse.model_validate_json(line).custom_id == "r0"
    read = orjson.loads(line)
    translated = claude.translate(read, "v1/messages")
    assert translated["response"]["candidates"][0]["content"]["parts"] == [{"text": "hi"}]
    assert claude.plain(read, "v1/messages") == translated


@pytest.mark.parametrize("output", [b"", b"{", b"null", b"[]"])
async def test_an_answer_that_is_no_object_is_an_error(output: bytes) -> None:
    claude, _ = answers(answer(output))
    line = await claude.answer(CALLER, "claude", "v1/messages", item())
    assert line.startswith(claude.error_head)
    assert claude.translate(orjson.loads(line), "v1/messages")["error"]["code"] == 14


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from([400, 401, 402, 403, 404, 422, 429, 500, 503, 504, 529]),
)
def test_an_error_is_one_line(custom_id: str, code: int) -> None:
    claude, _ = answers()
    line = claude.render_error(custom_id, code, "why")
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert line.startswith(claude.error_head)
    parsed = BetaMessageBatchIndividualResponse.model_validate_json(line)
    assert (parsed.custom_id, parsed.result.type) == (custom_id, "errored")
    assert claude.translate(orjson.loads(line), "v1/messages")["error"]["message"] == "why"


@pytest.mark.parametrize(
    ("code", "rpc"),
    [(400, 3), (413, 3), (401, 16), (403, 7), (404, 5), (429, 8), (500, 14), (504, 4), (529, 14)],
)
def test_the_status_of_a_refusal_stays(code: int, rpc: int) -> None:
    claude, _ = answers()
    line = orjson.loads(claude.render_error("r0", code, "why"))
    assert claude.translate(line, "v1/messages")["error"]["code"] == rpc
