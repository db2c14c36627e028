"""What the fake Gemini holds: files, upload sessions, batches; each belongs to one credential."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web

from ..blob import Blob, BlobStore, BlobWriter, digest
from ..journal import Settings
from .envelope import refuse, timestamp

TERMINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
LIFETIME = timedelta(hours=48)


@dataclass
class StoredFile:
    owner: str
    resource: dict[str, Any]
    blob: Blob


@dataclass
class UploadSession:
    """One resumable upload; `answer` is what a finished or rejected one says from then on.

    `end` stores the whole content and makes the answer.
    """

    owner: str
    path: str
    spec: dict[str, Any]
    mime_type: str
    declared: int | None
    writer: BlobWriter
    end: "End"
    status: str = "active"
    answer: dict[str, Any] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


End = Callable[[UploadSession, Blob], Awaitable[dict[str, Any]]]


@dataclass
class SearchStore:
    """A file search store: documents and operations by id, as they are shown."""

    owner: str
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class StoredBatch:
    """`inline` holds the requests of an inline job, `source` the input of a file job.

    A test may `hold` it in a state, or set the state (`goal`) that its next get finds it in.
    """

    owner: str
    native_id: str
    model: str
    embedding: bool
    display_name: str | None
    input_config: dict[str, Any]
    inline: list[dict[str, Any]] | None
    source: Blob | None
    created: str
    updated: str
    state: str = "PENDING"
    hold: str | None = None
    goal: str | None = None
    ended: str | None = None
    output: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    requests: int = 0
    failed: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class GeminiStore:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.blobs = BlobStore()
        self.files: dict[str, StoredFile] = {}
        self.uploads: dict[str, UploadSession] = {}
        self.batches: dict[str, StoredBatch] = {}
        self.search_stores: dict[str, SearchStore] = {}
        self.made = 0

    def new_id(self, length: int = 12) -> str:
        """Letters and digits only, as Google's are; the same in every run."""
        self.made += 1
        mixed = hashlib.sha256(f"gemini {self.made}".encode()).digest()
        return base64.b32encode(mixed).decode().lower()[:length]

    async def add_file(
        self,
        owner: str,
        blob: Blob,
        origin: str,
        spec: dict[str, Any],
        mime_type: str,
        generated: bool = False,
    ) -> dict[str, Any]:
        """File away `blob` and return its File resource; refuses a name that is taken."""
        native_id = spec.get("name", "").removeprefix("files/") or self.new_id()
        if native_id in self.files:
            raise refuse("ALREADY_EXISTS", f"Requested entity already exists: files/{native_id}")
        now = timestamp()
        hashed = await digest(blob)
        resource = {
            "name": f"files/{native_id}",
            "mimeType": mime_type,
            "sizeBytes": str(blob.size),
            "createTime": now,
            "updateTime": now,
            "expirationTime": timestamp(LIFETIME),
            "sha256Hash": base64.b64encode(hashed).decode(),
            "uri": f"{origin}/v1beta/files/{native_id}",
            "state": "ACTIVE",
            "source": "GENERATED" if generated else "UPLOADED",
        }
        if spec.get("displayName"):
            resource["displayName"] = spec["displayName"]
        if generated:
            resource["downloadUri"] = f"{resource['uri']}:download?alt=media"
        self.files[native_id] = StoredFile(owner, resource, blob)
        return resource

    def file(self, owner: str, native_id: str) -> StoredFile:
        found = self.files.get(native_id)
        if found is None or found.owner != owner:
            # The answer is the same for unknown, expired and foreign files (gemini.md section 4).
            raise refuse(
                "PERMISSION_DENIED",
                f"You do not have permission to access the File {native_id} or it may not exist.",
            )
        return found

    def batch(self, owner: str, native_id: str) -> StoredBatch:
        found = self.batches.get(native_id)
        if found is None or found.owner != owner:
            raise refuse("NOT_FOUND", f"Requested entity was not found: batches/{native_id}")
        return found


STORE: web.AppKey[GeminiStore] = web.AppKey("gemini_store", GeminiStore)
OWNER = web.RequestKey("owner", str)
