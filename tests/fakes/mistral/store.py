"""What the fake Mistral holds: files and batch jobs; each belongs to one key.

Keys of one workspace share its objects at Mistral; here every key is a workspace of its own.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web

from ..blob import Blob, BlobStore
from ..journal import Settings
from ..refusal import Refusal
from ..shape import ShapeError
from .envelope import refuse, validation_body

TERMINAL = frozenset({"SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED"})


@dataclass
class StoredFile:
    owner: str
    resource: dict[str, Any]
    blob: Blob

    @property
    def expired(self) -> bool:
        moment: int | None = self.resource["expires_at"]
        return moment is not None and moment <= time.time()


@dataclass
class StoredJob:
    """`resource` is what the API shows, less the outputs.

    `sources` are the input files, or one file with the inline requests: a job keeps its input, so
    that deleting the files harms nothing (unverified). `lines` are the places of its requests: the
    number of the source, and the offset there.
    """

    owner: str
    resource: dict[str, Any]
    sources: list[Blob]
    lines: list[tuple[int, int]] = field(default_factory=list)
    results: dict[str, Blob | None] = field(default_factory=dict)
    hold: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def status(self) -> str:
        return str(self.resource["status"])

    @property
    def inline(self) -> bool:
        """Made from requests, not from files."""
        return not self.resource["input_files"]


class MistralStore:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.blobs = BlobStore()
        self.files: dict[str, StoredFile] = {}
        self.jobs: dict[str, StoredJob] = {}
        self.made = 0

    def new_id(self) -> str:
        """A UUID; the same in every run."""
        self.made += 1
        mixed = hashlib.sha256(f"mistral {self.made}".encode()).digest()
        return str(UUID(bytes=mixed[:16], version=4))

    def add_file(self, owner: str, blob: Blob, **members: Any) -> dict[str, Any]:
        resource: dict[str, Any] = {
            "id": self.new_id(),
            "object": "file",
            "bytes": blob.size,
            "created_at": int(time.time()),
            "num_lines": None,
            "mimetype": None,
            "expires_at": None,
            "visibility": "workspace",
            "signature": None,
            **members,
        }
        self.files[resource["id"]] = StoredFile(owner, resource, blob)
        return resource

    def file(self, owner: str, native_id: str) -> StoredFile:
        found = self.files.get(checked_id(native_id, "file_id"))
        if found is None or found.owner != owner or found.expired:
            raise refuse(404, f"No file matches the given query: {native_id}")
        return found

    def job(self, owner: str, native_id: str) -> StoredJob:
        found = self.jobs.get(checked_id(native_id, "job_id"))
        if found is None or found.owner != owner:
            raise refuse(404, f"No batch job matches the given query: {native_id}")
        return found


def checked_id(text: str, name: str) -> str:
    """The id in a path; raises Refusal if it has not the form of a UUID."""
    try:
        valid = str(UUID(text)) == text
    except ValueError:
        valid = False
    if not valid:
        error = ShapeError("value", name, "Input should be a valid UUID")
        raise Refusal(422, validation_body(error, "path"))
    return text


STORE: web.AppKey[MistralStore] = web.AppKey("mistral_store", MistralStore)
OWNER = web.RequestKey("owner", str)
