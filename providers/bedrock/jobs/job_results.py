"""The results of an ended job, from the objects that Bedrock wrote (bedrock.md section 3)."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from providers.aws.folder import Folder, parse_s3_uri
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.bedrock.content.result_from_bedrock import result_from_bedrock
from providers.bedrock.invocation import InvocationType
from providers.bedrock.jobs.job_failures import failure_of_record
from providers.bedrock.jobs.job_records import folder_of
from providers.bedrock.jobs.operations import job_id_of
from providers.body import Body
from providers.json_api.client import Answer
from providers.resources import Failure
from providers.upstream import invalid_answer

_RESULTS: Final = ".jsonl.out"


class JobResultLines:
    """Implements `ResultLines` and `ResultFiles`."""

    id_member = "recordId"

    def __init__(self, s3: S3, target: AwsTarget, job: Answer, splitter: ResultSplitter) -> None:
        self._s3 = s3
        self._target = target
        self._job = job
        self._splitter = splitter
        self._invocation = invocation_of(job)

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        async with aclosing(self.files()) as files:
            async for file in files:
                async with aclosing(self._splitter.split(file.chunks)) as slices:
                    async for lines in slices:
                        yield lines
                        await asyncio.sleep(0)

    async def files(self) -> AsyncGenerator[Body, None]:
        async for bucket, key in output_objects(self._s3, self._target, self._job):
            if not key.endswith(_RESULTS):
                continue
            async with await self._s3.open(self._target, bucket, key) as reply:
                if reply.headers.get("Content-Encoding", "identity") not in ("identity", ""):
                    raise invalid_answer("the results in S3 are compressed or otherwise encoded")
                yield Body(reply.chunks(), None)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return result_from_bedrock(line, self._invocation)

    def missing(self, _: int, /) -> Failure:
        return failure_of_record(self._job)


async def output_objects(s3: S3, target: AwsTarget, job: Answer) -> AsyncIterator[tuple[str, str]]:
    """(bucket, key) of every object that Bedrock wrote for the job.

    Our jobs have an output folder each. Other tools' jobs may share one, in which Bedrock makes a
    folder for each job.
    """
    folder = _output_folder(job)
    if folder is None:
        return
    if folder_of(job) is None:
        folder = folder / job_id_of(job)
    async for found in s3.each(target, folder):
        yield folder.bucket, found.key


def invocation_of(job: Mapping[str, Any]) -> InvocationType:
    """Bedrock's default is InvokeModel; an unknown type is read like it."""
    said = job.get("modelInvocationType")
    return InvocationType.CONVERSE if said == "Converse" else InvocationType.INVOKE_MODEL


def _output_folder(job: Mapping[str, Any]) -> Folder | None:
    config = job.get("outputDataConfig")
    s3 = config.get("s3OutputDataConfig") if isinstance(config, dict) else None
    uri = s3.get("s3Uri") if isinstance(s3, dict) else None
    return parse_s3_uri(uri) if isinstance(uri, str) else None
