"""Bedrock and the S3 that it works with, both listening."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from yarl import URL

from ..listening import listening
from ..s3 import s3_app
from .app import bedrock_app
from .job_input import Quotas


@dataclass(frozen=True)
class Serving:
    """Where they are. Either has the control surface of both under `/_fake/`."""

    url: str
    s3_url: str


@asynccontextmanager
async def serving_bedrock(
    host: str = "127.0.0.1",
    port: int = 0,
    s3_port: int = 0,
    *,
    min_records: int = 100,
    quotas: Quotas | None = None,
) -> AsyncIterator[Serving]:
    """Port 0 is any that is free. There can be one at a time in a process (see `s3_app`)."""
    s3 = s3_app()
    async with listening(s3, host, s3_port) as s3_url:
        bedrock = bedrock_app(s3, URL(s3_url), min_records=min_records, quotas=quotas)
        async with listening(bedrock, host, port) as url:
            yield Serving(url, s3_url)
