"""One synchronous call to Bedrock's runtime, for batches that are too small for a job."""

from typing import Final

from providers.aws.client import AwsClient
from providers.aws.signing import BEDROCK, aws_url, encode_segment
from providers.aws.target import AwsTargets
from providers.bedrock.invocation import InvocationType
from providers.credential import Caller

# AWS recommends this (bedrock.md section 2): Converse sends nothing until the model is done.
_SILENCE_SECONDS: Final = 3600.0
_VERBS: Final = {InvocationType.CONVERSE: "converse", InvocationType.INVOKE_MODEL: "invoke"}


class Runtime:
    """Implements `RecordCall`. `answer_limit` is in bytes."""

    def __init__(self, client: AwsClient, targets: AwsTargets, answer_limit: int) -> None:
        self._client = client
        self._targets = targets
        self._limit = answer_limit

    async def __call__(
        self, caller: Caller, model: str, invocation: InvocationType, model_input: bytes
    ) -> bytes:
        """One attempt; returns `modelOutput` as JSON. Raises Bedrock's refusals and UpstreamError.

        Before sending, raises also the errors of `AwsTargets`, which name no provider.
        """
        target = await self._targets.of(caller)
        url = aws_url(target.runtime, f"/model/{encode_segment(model)}/{_VERBS[invocation]}")
        headers = {"Content-Type": "application/json"}
        async with await self._client.open(
            target, BEDROCK, "POST", url, model_input, headers, _SILENCE_SECONDS
        ) as reply:
            return await reply.read(self._limit)
