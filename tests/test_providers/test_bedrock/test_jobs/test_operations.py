import pytest

from providers.bedrock.jobs.operations import job_id_of
from providers.json_api import Answer
from providers.upstream import UpstreamError

ARN = "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abcdef012345"


def test_the_native_id_is_the_end_of_the_arn() -> None:
    assert job_id_of(Answer(jobArn=ARN)) == "abcdef012345"


@pytest.mark.parametrize(
    "arn", [None, 5, "", "not-an-arn", "abcdef012345", ARN + "/x", ARN + "-", ARN.upper(), "arn:/x"]
)
def test_what_is_no_arn_of_a_job_is_the_upstreams_fault(arn: object) -> None:
    with pytest.raises(UpstreamError, match="jobArn"):
        job_id_of(Answer(jobArn=arn))
