"""The state of the fake Bedrock: the jobs of one account, created with any of its keys."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from yarl import URL

from ..aws_keys import ACCOUNT, REGION
from ..blob import BlobStore
from ..journal import Settings
from ..prompt_cache import PromptCache
from .envelope import now, refuse, timestamp
from .job_input import JobInput, Quotas
from .models import Model
from .role_buckets import RoleBuckets

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/ferry-batch"
JOB_ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-invocation-job/"
TERMINAL = frozenset({"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"})
STATUSES = TERMINAL | {"Submitted", "Validating", "Scheduled", "InProgress", "Stopping"}
DEFAULT_HOURS = 24
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class StoredJob:
    """`resource` is what the API shows, and `asked` the request that made it, less its token.

    A test may `hold` the job in a state, and say how many records are processed (`reached`).
    """

    number: int
    submitted: datetime
    model: Model
    asked: dict[str, Any]
    resource: dict[str, Any]
    input: JobInput | None = None
    reached: int | None = None
    hold: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def id(self) -> str:
        return str(self.resource["jobArn"]).removeprefix(JOB_ARN)

    @property
    def status(self) -> str:
        return str(self.resource["status"])

    @property
    def converses(self) -> bool:
        return bool(self.resource["modelInvocationType"] == "Converse")

    def location(self, kind: str) -> dict[str, Any]:
        """The S3 configuration of the `input` or the `output`."""
        config: dict[str, Any] = self.asked[f"{kind}DataConfig"][f"s3{kind.capitalize()}DataConfig"]
        return config


class BedrockStore:
    def __init__(self, settings: Settings, s3_url: URL, quotas: Quotas) -> None:
        self.settings = settings
        self.quotas = quotas
        self.blobs = BlobStore()
        self.prompts = PromptCache()
        self.buckets = RoleBuckets(s3_url, self.blobs)
        self.jobs: dict[str, StoredJob] = {}
        self._tokens: dict[str, StoredJob] = {}
        self.made = 0

    def add_job(self, asked: dict[str, Any], token: str | None, model: Model) -> StoredJob:
        self.made += 1
        number, submitted = self.made, now()
        hours = asked.get("timeoutDurationInHours", DEFAULT_HOURS)
        resource: dict[str, Any] = {
            **{name: value for name, value in asked.items() if name != "tags"},
            "jobArn": JOB_ARN + _job_id(number),
            "status": "Submitted",
            "submitTime": timestamp(submitted),
            "lastModifiedTime": timestamp(submitted),
            "timeoutDurationInHours": hours,
            "jobExpirationTime": timestamp(submitted + timedelta(hours=hours)),
            "modelInvocationType": asked.get("modelInvocationType", "InvokeModel"),
        }
        job = StoredJob(number, submitted, model, asked, resource)
        if token is not None:
            resource["clientRequestToken"] = token
        self.keep(job, token)
        return job

    def keep(self, job: StoredJob, token: str | None) -> None:
        """`token` is the one that a repeat of its creation would have."""
        if token is not None:
            self._tokens[token] = job
        self.jobs[job.id] = job

    def made_with(self, token: str | None) -> StoredJob | None:
        return self._tokens.get(token) if token is not None else None

    def named(self, name: str) -> StoredJob | None:
        return next((job for job in self.jobs.values() if job.asked["jobName"] == name), None)

    def job(self, identifier: str) -> StoredJob:
        """By id or ARN; raises Refusal."""
        found = self.jobs.get(identifier.removeprefix(JOB_ARN))
        if found is None:
            message = "The specified model invocation job was not found."
            raise refuse("ResourceNotFoundException", message)
        return found

    def clear(self) -> None:
        self.jobs.clear()
        self._tokens.clear()
        self.blobs.clear()


def _job_id(number: int) -> str:
    """12 characters of [a-z0-9], the same in every run."""
    mixed = hashlib.sha256(f"bedrock {number}".encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in mixed[:12])


STORE: web.AppKey[BedrockStore] = web.AppKey("bedrock_store", BedrockStore)
