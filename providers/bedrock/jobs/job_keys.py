"""The record ids in a job's input, for a job without a request table."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from providers.aws.folder import Folder, parse_s3_uri
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.batches.json_lines import NumberedSplitter
from providers.batches.request_table import RequestTable, RowKind, add_keys
from providers.errors import FerryError
from providers.memory import Reservation

_ENDING: Final = ".jsonl"


class JobKeys:
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
        folder = _input_folder(job)
        if folder is None:
            return
        if (key := folder.prefix.removesuffix("/")).endswith(_ENDING):
            if await self._s3.head(target, folder.bucket, key) is not None:
                yield folder.bucket, key
            return
        async for found in self._s3.each(target, folder):
            if found.key.endswith(_ENDING):
                yield folder.bucket, found.key


def _input_folder(job: Mapping[str, Any]) -> Folder | None:
    config = job.get("inputDataConfig")
    s3 = config.get("s3InputDataConfig") if isinstance(config, dict) else None
    uri = s3.get("s3Uri") if isinstance(s3, dict) else None
    return parse_s3_uri(uri) if isinstance(uri, str) else None
