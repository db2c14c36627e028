import orjson
import pytest

from providers.aws.client import AwsClient
from providers.aws.target import AwsTargets
from providers.bedrock.invocation import InvocationType
from providers.bedrock.runtime import Runtime
from providers.errors import FerryError
from providers.upstream import UpstreamError
from tests.test_providers.answering import answer
from tests.test_providers.test_aws.targets import caller, options
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

MODEL = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x"
CONVERSE, INVOKE_MODEL = InvocationType.CONVERSE, InvocationType.INVOKE_MODEL


def runtime(*script: Answer, limit: int = 1 << 20) -> tuple[Runtime, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    return Runtime(AwsClient("bedrock", upstream), AwsTargets(options()), limit), upstream


@pytest.mark.parametrize(("invocation", "verb"), [(CONVERSE, "converse"), (INVOKE_MODEL, "invoke")])
async def test_a_record_is_one_request_that_may_be_answered_late(
    invocation: InvocationType, verb: str
) -> None:
    ask, upstream = runtime(answer({"ok": True}))
    assert orjson.loads(await ask(caller(), MODEL, invocation, b'{"a":1}')) == {"ok": True}
    (sent,) = upstream.sent
    assert sent.request.url.raw_path.endswith(f"%3Ainference-profile%2Fx/{verb}")
    assert sent.request.url.host == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert (sent.body, sent.request.silence) == (b'{"a":1}', 3600)
    assert upstream.done


async def test_it_is_tried_once() -> None:
    """Whether it may be tried again depends on what the first try did."""
    ask, upstream = runtime(answer({"message": "slow"}, 429))
    with pytest.raises(FerryError) as refused:
        await ask(caller(), MODEL, CONVERSE, b"{}")
    assert refused.value.provider == "bedrock"
    assert upstream.done


async def test_what_is_wrong_before_anything_is_sent_names_no_provider() -> None:
    upstream = ScriptedUpstream()
    ask = Runtime(AwsClient("bedrock", upstream), AwsTargets(options(region=None)), 10)
    with pytest.raises(FerryError) as refused:
        await ask(caller(), MODEL, CONVERSE, b"{}")
    assert refused.value.provider is None
    assert not isinstance(refused.value, UpstreamError)
    assert upstream.sent == []


async def test_an_answer_beyond_the_limit_is_none() -> None:
    ask, _ = runtime(answer({"text": "x" * 20}), limit=20)
    with pytest.raises(UpstreamError):
        await ask(caller(), MODEL, CONVERSE, b"{}")
