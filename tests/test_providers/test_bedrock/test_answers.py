import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.aws.client import AwsClient
from providers.aws.target import AwsTargets
from providers.bedrock.answers import BedrockAnswers, render_error, render_result
from providers.bedrock.content.bedrock_models import InvocationType
from providers.errors import FerryError
from providers.upstream import UpstreamError
from tests.test_providers.answering import answer
from tests.test_providers.test_aws.targets import caller, options
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

MODEL = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x"
LINE = b'{"recordId":"r0","modelInput":{}}'
CONVERSE, INVOKE_MODEL = InvocationType.CONVERSE, InvocationType.INVOKE_MODEL
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


@given(TEXT, st.dictionaries(TEXT, VALUES, max_size=4))
def test_an_output_is_one_line(record_id: str, output: dict[str, object]) -> None:
    line = render_result(record_id, orjson.dumps(output, option=orjson.OPT_INDENT_2), {})
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert orjson.loads(line) == {"recordId": record_id, "modelOutput": output}
    assert not line.startswith(BedrockAnswers.error_head)


@given(TEXT, st.integers(400, 599), TEXT)
def test_an_error_is_one_line(record_id: str, code: int, message: str) -> None:
    line = render_error(record_id, code, message)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    error = {"errorCode": code, "errorMessage": message}
    assert orjson.loads(line) == {"recordId": record_id, "error": error}
    assert line.startswith(BedrockAnswers.error_head)


def test_an_invalid_character_does_not_break_an_answer() -> None:
    line = render_result("r", rb'{"text":"a\ud800b"}', {})
    assert orjson.loads(line)["modelOutput"] == {"text": "a\ufffdb"}


@pytest.mark.parametrize(
    "output",
    [b"", b"{", b"nonsense", b"null", b'"text"', b"[]", b"[{}]", b"7", b"\xff"],
)
def test_an_output_that_is_not_an_object_is_an_error(output: bytes) -> None:
    line = render_result("r", output, {})
    assert line.startswith(BedrockAnswers.error_head)
    assert orjson.loads(line)["error"]["errorCode"] == 503


def test_an_answer_that_is_nested_too_deeply_is_an_error() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    line = render_result("r", deep, {})
    assert orjson.loads(line)["error"]["errorCode"] == 503


def test_an_answer_of_several_lines_is_one_line() -> None:
    line = render_result("r0", b'{\n "n":\n 7}', {})
    assert line == b'{"recordId":"r0","modelOutput":{"n":7}}\n'


def test_a_result_has_the_parts_of_its_request_that_are_read() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2048}
    fields = {"thinking": thinking, "top_k": 3}
    line = render_result("r0", b'{"n":0}', {"n": 0, "additionalModelRequestFields": fields})
    echo = {"additionalModelRequestFields": {"thinking": {"type": "enabled"}}}
    assert orjson.loads(line) == {"recordId": "r0", "modelOutput": {"n": 0}, "modelInput": echo}


@pytest.mark.parametrize("reason", ["ServiceUnavailableException", "ModelNotReadyException"])
def test_errors_before_any_model_started(reason: str) -> None:
    assert reason in BedrockAnswers.not_begun


# --- the call ---------------------------------------------------------------------------------


def answers(*script: Answer, limit: int = 1 << 20) -> tuple[BedrockAnswers, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    return BedrockAnswers(AwsClient("bedrock", upstream), AwsTargets(options()), limit), upstream


@pytest.mark.parametrize(("invocation", "verb"), [(CONVERSE, "converse"), (INVOKE_MODEL, "invoke")])
async def test_a_record_is_one_request_that_may_be_answered_late(
    invocation: InvocationType, verb: str
) -> None:
    ask, upstream = answers(answer({"ok": True}))
    line = b'{"recordId":"r0","modelInput":{"a":1}}'
    result = orjson.loads(await ask.answer(caller(), MODEL, invocation, line))
    assert result == {"recordId": "r0", "modelOutput": {"ok": True}}
    (sent,) = upstream.sent
    assert sent.request.url.raw_path.endswith(f"%3Ainference-profile%2Fx/{verb}")
    assert sent.request.url.host == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert (sent.body, sent.request.silence) == (b'{"a":1}', 3600)
    assert upstream.done


async def test_it_is_tried_once() -> None:
    """Whether it may be retried depends on the outcome of the first attempt."""
    ask, upstream = answers(answer({"message": "slow"}, 429))
    with pytest.raises(FerryError) as refused:
        await ask.answer(caller(), MODEL, CONVERSE, LINE)
    assert refused.value.provider == "bedrock"
    assert upstream.done


async def test_an_error_before_any_call_names_no_provider() -> None:
    upstream = ScriptedUpstream()
    ask = BedrockAnswers(AwsClient("bedrock", upstream), AwsTargets(options(region=None)), 10)
    with pytest.raises(FerryError) as refused:
        await ask.answer(caller(), MODEL, CONVERSE, LINE)
    assert refused.value.provider is None
    assert not isinstance(refused.value, UpstreamError)
    assert upstream.sent == []


async def test_an_answer_beyond_the_limit_is_an_error() -> None:
    ask, _ = answers(answer({"text": "x" * 20}), limit=20)
    with pytest.raises(UpstreamError):
        await ask.answer(caller(), MODEL, CONVERSE, LINE)
