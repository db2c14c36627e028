"""A job's input: found in S3, fetched, and counted, as Bedrock does when it validates a job.

What a record's `modelInput` says is not looked at here (bedrock.md section 3).
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

from ..aws_keys import ACCOUNT
from ..blob import Blob
from .role_buckets import OutOfReach, RoleBuckets, S3Location

GIB = 1 << 30
ENDING = ".jsonl"
LINE_MEMBERS = {"recordId", "modelInput"}


@dataclass(frozen=True)
class Quotas:
    """How much a job may have; the minimum is a setting. Unverified: the records."""

    records_per_file: int = 50_000
    records_per_job: int = 100_000
    file_bytes: int = 1 * GIB
    job_bytes: int = 5 * GIB


class InputRefused(Exception):
    """The job fails; the text is its message."""


@dataclass(frozen=True)
class InputFile:
    """`name` is its key below the folder; `records` are the offsets of its lines."""

    name: str
    blob: Blob
    records: list[int]


@dataclass(frozen=True)
class JobInput:
    """`media` are the URIs that a record may name; empty unless the input is a folder."""

    files: list[InputFile]
    media: frozenset[str]

    @property
    def records(self) -> int:
        return sum(len(file.records) for file in self.files)


async def read_input(
    buckets: RoleBuckets, config: dict[str, Any], quotas: Quotas, min_records: int
) -> JobInput:
    """Finds the input of a job's s3InputDataConfig; raises InputRefused, OutOfReach."""
    location = S3Location.of(config["s3Uri"])
    check_owner(location, config)
    if not location.is_folder and not location.key.endswith(ENDING):
        raise InputRefused(f"The input {location} is neither a {ENDING} file nor a folder.")
    sizes = await buckets.sizes(location)
    chosen = {key: size for key, size in sizes.items() if _is_input(key, location)}
    if not chosen:
        raise InputRefused(f"There is no {ENDING} input at {location}.")
    if max(chosen.values()) > quotas.file_bytes or sum(chosen.values()) > quotas.job_bytes:
        raise InputRefused("The input is larger than the quota allows.")
    read = JobInput(
        [await _fetch(buckets, location, key) for key in chosen],
        frozenset(f"s3://{location.bucket}/{key}" for key in sizes if location.is_folder),
    )
    _check_counts(read, quotas, min_records)
    return read


def check_owner(location: S3Location, config: dict[str, Any]) -> None:
    if config.get("s3BucketOwner", ACCOUNT) != ACCOUNT:
        raise OutOfReach(f"The role cannot reach {location}: AccessDenied")


def _is_input(key: str, location: S3Location) -> bool:
    return key.endswith(ENDING) if location.is_folder else key == location.key


async def _fetch(buckets: RoleBuckets, location: S3Location, key: str) -> InputFile:
    blob = await buckets.download(S3Location(location.bucket, key))
    folder = location.key if location.is_folder else location.key.rpartition("/")[0] + "/"
    name = key.removeprefix(folder)
    return InputFile(name, blob, await asyncio.to_thread(_find_records, name, blob))


def _find_records(name: str, blob: Blob) -> list[int]:
    offsets: list[int] = []
    offset = 0
    with blob.path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            _check_line(line, f"{name}, line {number}")
            offsets.append(offset)
            offset += len(line)
    return offsets


def _check_line(line: bytes, where: str) -> None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InputRefused(f"{where}: not valid JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("modelInput"), dict):
        raise InputRefused(f"{where}: a record must be an object with the object modelInput")
    if not record.keys() <= LINE_MEMBERS:
        raise InputRefused(f"{where}: a record has no members but {sorted(LINE_MEMBERS)}")
    if not isinstance(record.get("recordId", ""), str):
        raise InputRefused(f"{where}: a recordId must be a string")


def _check_counts(read: JobInput, quotas: Quotas, min_records: int) -> None:
    if read.records < min_records:
        raise InputRefused(
            f"The batch job contains less records ({read.records}) than the required minimum "
            f"of: {min_records}"
        )
    largest = max(len(file.records) for file in read.files)
    if largest > quotas.records_per_file or read.records > quotas.records_per_job:
        raise InputRefused("The input has more records than the quota allows.")
