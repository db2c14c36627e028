"""Bedrock's streams: what an error in one may quote."""

import pytest

from providers.aws.client import AwsClient
from providers.aws.keys import parse_keys
from providers.aws.s3 import S3
from providers.aws.target import AwsTargets
from providers.bedrock.prompts import BedrockPrompts
from providers.memory import MemoryBudget
from providers.resources import Prompt
from providers.retries import USUAL_RETRIES
from providers.upstream import UpstreamError
from tests.test_providers.test_aws.targets import caller, options
from tests.test_providers.test_bedrock.test_event_stream import frame
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

PROMPT = Prompt("amazon.nova-lite-v1:0", b'{"contents": [{"parts": [{"text": "Hi"}]}]}')
SECRETS = parse_keys(caller().credential).secrets()


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("kind", ["exception", "error"])
async def test_an_error_in_a_stream_quotes_no_key(kind: str, secret: str) -> None:
    if kind == "exception":
        payload = f'{{"message": "bad {secret}"}}'.encode()
        error = frame(payload, message_type=kind, exception_type=f"E-{secret}")
    else:
        named = {"error_code": f"E-{secret}", "error_message": f"bad {secret}"}
        error = frame(b"", message_type=kind, **named)
    upstream = ScriptedUpstream(
        Answer(200, {"Content-Type": "application/vnd.amazon.eventstream"}, error)
    )
    client = AwsClient("bedrock", upstream)
    targets, memory = AwsTargets(options()), MemoryBudget()
    prompts = BedrockPrompts(client, S3(client), targets, memory, USUAL_RETRIES, None)
    answer = await prompts.stream(caller(), PROMPT)
    with pytest.raises(UpstreamError) as failed:
        await anext(answer.chunks)
    assert (failed.value.message, failed.value.reason) == ("bad ***", "E-***")
