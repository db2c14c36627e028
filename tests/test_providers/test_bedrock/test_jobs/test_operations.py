import pytest

from providers.aws.client import AwsClient
from providers.bedrock.jobs.operations import Jobs, job_id_of
from providers.json_api.client import Answer
from providers.upstream import UpstreamError
from tests.test_providers.answering import answer
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_aws.targets import aws_target
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

ARN = "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdef012345"


def test_the_native_id_is_the_end_of_the_arn() -> None:
    assert job_id_of(Answer(jobArn=ARN)) == "abcdef012345"


@pytest.mark.parametrize(
    "arn", [None, 5, "", "not-an-arn", "abcdef012345", ARN + "/x", ARN + "-", ARN.upper(), "arn:/x"]
)
def test_an_invalid_arn_of_a_job_is_the_upstreams_fault(arn: object) -> None:
    with pytest.raises(UpstreamError, match="jobArn"):
        job_id_of(Answer(jobArn=arn))


async def found(*tokens: str) -> Answer | None:
    """The job found by a search whose pages are empty and have `tokens` for the next page."""
    pages = [answer({"invocationJobSummaries": [], "nextToken": token}) for token in tokens]
    client = AwsClient("bedrock", ScriptedUpstream(*pages), AT_ONCE)
    return await Jobs(client).find(await aws_target(), "name")


async def test_an_empty_token_is_refused() -> None:
    assert await found("next", "") is None


async def test_a_list_that_never_ends_is_refused() -> None:
    with pytest.raises(UpstreamError, match="same page"):
        await found("next", "next")
