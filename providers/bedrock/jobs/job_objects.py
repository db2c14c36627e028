"""A job's objects in S3: the ids in its input, and the results that Bedrock wrote."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from providers.aws.folder import parse_s3_uri
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.batches.ended_results import lines_of
from providers.batches.json_lines import NumberedSplitter, ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind, add_keys
from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.result_from_bedrock import plain_bedrock_line, result_from_bedrock
from providers.bedrock.jobs.job_records import failure_of_record, folder_of, input_uri, output_uri
from providers.bedrock.jobs.operations import job_id_of
from providers.body import Body
from providers.errors import FerryError
from providers.json_api.client import Answer
from providers.memory import Reservation
from providers.resources import Failure
from providers.upstream import invalid_answer

_RESULTS: Final = ".jsonl.out"
_ENDING: Final = ".jsonl"


class JobResultLines:
    """Implements `providers.batches.ended_results.Results` (bedrock.md section 3)."""

    id_member = "recordId"

    def __init__(self, s3: S3, target: AwsTarget, job: Answer, splitter: ResultSplitter) -> None:
        self._s3 = s3
        self._target = target
        self._job = job
        self._splitter = splitter
        self._invocation = invocation_of(job)

    def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        return lines_of(self.files(), self._splitter)

    async def files(self) -> AsyncGenerator[Body, None]:
        async for bucket, key in output_objects(self._s3, self._target, self._job):
            if not key.endswith(_RESULTS):
                continue
            async with await self._s3.open(self._target, bucket, key) as reply:
                if reply.headers.get("Content-Encoding", "identity") not in ("identity", ""):
                    raise invalid_answer("the results in S3 are compressed or otherwise encoded")
                yield Body(reply.chunks(), None)

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        return plain_bedrock_line(line, self._invocation)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return result_from_bedrock(line, self._invocation)

    def missing(self, _: int, /) -> Failure:
        return failure_of_record(self._job)


async def output_objects(s3: S3, target: AwsTarget, job: Answer) -> AsyncIterator[tuple[str, str]]:
    """(bucket, key) of every object that Bedrock wrote for the job.

    Our jobs have an output folder each. Other tools' jobs may share one, in which Bedrock makes a
    folder for each job.
    """
    folder = parse_s3_uri(output_uri(job))
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


class JobKeys:
    """The record ids in the input of a job without a request table."""

    def __init__(self, s3: S3, splitter: NumberedSplitter) -> None:
        self._s3 = s3
        self._splitter = splitter

    async def exist(self, target: AwsTarget, job: Mapping[str, Any]) -> bool:
        """Whether the caller can list an input of the job."""
        try:
            async with aclosing(self._objects(target, job)) as objects:
                return await anext(objects, None) is not None
        except FerryError as error:
            if not error.permanent:
                raise
            return False

    async def read(
        self, target: AwsTarget, job: Mapping[str, Any], reservation: Reservation
    ) -> RequestTable:
        """The memory of the table counts on `reservation`."""
        table = RequestTable(RowKind.CUSTOM_ID)
        async with aclosing(self._objects(target, job)) as objects:
            async for bucket, key in objects:
                async with await self._s3.open(target, bucket, key) as reply:
                    chunks = reply.chunks()
                    await add_keys(table, chunks, self._splitter, "recordId", reservation)
        return table

    async def _objects(
        self, target: AwsTarget, job: Mapping[str, Any]
    ) -> AsyncGenerator[tuple[str, str], None]:
        """(bucket, key) of each object: the input is one object or a whole folder."""
        folder = parse_s3_uri(input_uri(job))
        if folder is None:
            return
        if (key := folder.prefix.removesuffix("/")).endswith(_ENDING):
            if await self._s3.head(target, folder.bucket, key) is not None:
                yield folder.bucket, key
            return
        async for found in self._s3.each(target, folder):
            if found.key.endswith(_ENDING):
                yield folder.bucket, found.key
