"""One record at Bedrock's runtime, answered at once: for batches that are too small for a job."""

from typing import Final

from providers.aws.client import AwsClient
from providers.aws.signing import BEDROCK, aws_url, encode_segment
from providers.aws.target import AwsTargets
from providers.bedrock.invocation import InvocationType
from providers.credential import Caller

# As long as AWS advises (bedrock.md section 2): Converse is silent until the model is done.
_SILENCE_SECONDS: Final = 3600.0
_VERBS: Final = {InvocationType.CONVERSE: "converse", InvocationType.INVOKE_MODEL: "invoke"}


class Runtime:
    """`answer_limit` in bytes."""

    def __init__(self, client: AwsClient, targets: AwsTargets, answer_limit: int) -> None:
        self._client = client
        self._targets = targets
        self._limit = answer_limit

    async def __call__(
        self, caller: Caller, model: str, invocation: InvocationType, model_input: bytes
    ) -> bytes:
        """One attempt: `modelOutput` as JSON. Raises what Bedrock refuses, and UpstreamError.

        Before anything is sent, also what `AwsTargets` raises, which names no provider.
        """
        target = await self._targets.of(caller)
        url = aws_url(target.runtime, f"/model/{encode_segment(model)}/{_VERBS[invocation]}")
        headers = {"Content-Type": "application/json"}
        async with await self._client.open(
            target, BEDROCK, "POST", url, model_input, headers, _SILENCE_SECONDS
        ) as reply:
            return await reply.read(self._limit)
