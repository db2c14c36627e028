"""Calls to the models of Bedrock's runtime."""

from collections.abc import Mapping
from typing import Final

from providers.aws.client import AwsClient
from providers.aws.signing import BEDROCK, aws_url, encode_segment
from providers.aws.target import AwsTarget
from providers.bedrock.content.bedrock_models import InvocationType
from providers.upstream import Reply

WHOLE: Final[Mapping[InvocationType, str]] = {
    InvocationType.CONVERSE: "converse",
    InvocationType.INVOKE_MODEL: "invoke",
}
"""The verbs of calls that are answered in one piece."""
STREAMED: Final[Mapping[InvocationType, str]] = {
    InvocationType.CONVERSE: "converse-stream",
    InvocationType.INVOKE_MODEL: "invoke-with-response-stream",
}
"""The verbs of calls that are answered with an event stream."""
_REQUEST_ID: Final = "x-amzn-RequestId"


async def invoke(
    client: AwsClient,
    target: AwsTarget,
    model: str,
    verb: str,
    model_input: bytes,
    silence: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One attempt; the answer is still on the wire. `silence` as in OutboundRequest."""
    url = aws_url(target.runtime, f"/model/{encode_segment(model)}/{verb}")
    sent = {"Content-Type": "application/json", **(headers or {})}
    return await client.open(target, BEDROCK, "POST", url, model_input, sent, silence)


def request_id(reply: Reply) -> str:
    """Bedrock's id of the call; empty if it has none."""
    return reply.headers.get(_REQUEST_ID, "")
