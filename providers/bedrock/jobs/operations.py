"""Bedrock's four operations on model invocation jobs (bedrock.md section 2)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from providers.aws.client import AwsClient
from providers.aws.signing import encode_segment
from providers.aws.target import AwsTarget
from providers.errors import FerryError, not_found
from providers.json_api.answer_shape import text_or_none
from providers.json_api.client import Answer
from providers.json_api.page_tokens import leading_on
from providers.upstream import invalid_answer

_JOB: Final = "/model-invocation-job"
_JOBS: Final = "/model-invocation-jobs"
# Large, so that deleted jobs cost few further pages; Bedrock allows up to 1000.
_PAGE_SIZE: Final = "100"
_JOB_ARN: Final = re.compile(r"arn:[^/]*:model-invocation-job/([a-z0-9]{1,64})")


class Jobs:
    def __init__(self, client: AwsClient) -> None:
        self.name = client.name
        self._client = client

    async def create(self, target: AwsTarget, document: Mapping[str, Any]) -> Answer:
        """The answer with the job's ARN. The request token makes a repeat safe."""
        made = await self._client.json(target, "POST", _JOB, document)
        job_id_of(made)  # raises if there is none
        return made

    async def get(self, target: AwsTarget, job_id: str) -> Answer:
        try:
            job = await self._client.json(target, "GET", f"{_JOB}/{encode_segment(job_id)}")
        except FerryError as error:
            # Bedrock refuses an id of another form; there is no such job either.
            if error.reason != "ValidationException":
                raise
            raise not_found(f"there is no batches/{job_id}") from None
        if job_id_of(job) != job_id:
            raise invalid_answer(f"{self.name} answered with another job")
        return job

    async def stop(self, target: AwsTarget, job_id: str) -> None:
        await self._client.json(target, "POST", f"{_JOB}/{encode_segment(job_id)}/stop")

    async def page(
        self, target: AwsTarget, token: str | None, **query: str
    ) -> tuple[Sequence[Answer], str | None]:
        """A page of jobs, newest first, and AWS's token for the next page."""
        if token:
            query = {**query, "nextToken": token}
        page = await self._client.json(
            target,
            "GET",
            _JOBS,
            sortBy="CreationTime",
            sortOrder="Descending",
            maxResults=_PAGE_SIZE,
            **query,
        )
        listed = page.get("invocationJobSummaries") or []
        if not isinstance(listed, list) or not all(isinstance(job, dict) for job in listed):
            raise invalid_answer(f"{self.name} did not answer with a list of jobs")
        following = text_or_none(page.get("nextToken")) or None
        return [Answer(job) for job in listed], leading_on(self.name, token, following)

    async def one(self, target: AwsTarget) -> None:
        """List one job, only to learn whether the keys are accepted."""
        await self._client.json(target, "GET", _JOBS, maxResults="1")

    async def find(self, target: AwsTarget, name: str) -> Answer | None:
        """The job with exactly this name."""
        token: str | None = None
        while True:
            listed, token = await self.page(target, token, nameContains=name)
            for job in listed:
                if job.get("jobName") == name:
                    return job
            if token is None:
                return None


def job_id_of(job: Answer) -> str:
    """The native id: the last part of the ARN. Raises UpstreamError for an invalid ARN."""
    found = _JOB_ARN.fullmatch(str(job["jobArn"]))
    if found is None:
        raise invalid_answer("the provider's answer has an invalid jobArn")
    return found[1]
