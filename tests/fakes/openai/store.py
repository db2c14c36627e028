"""What the fake OpenAI holds: files, uploads and their parts, batches; each belongs to one key."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..blob import Blob, BlobStore
from ..journal import Settings
from .envelope import refuse

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
TERMINAL = frozenset({"failed", "completed", "expired", "cancelled"})


@dataclass
class StoredFile:
    """`pending_reads`: how often it is still read before its status is no longer pending."""

    owner: str
    resource: dict[str, Any]
    blob: Blob
    pending_reads: int = 0


@dataclass
class StoredUpload:
    owner: str
    resource: dict[str, Any]
    parts: dict[str, Blob] = field(default_factory=dict)
    lifetime: int | None = None


@dataclass
class StoredBatch:
    """`resource` is what the API shows. The batch keeps its input, so its file can be deleted.

    That a real batch outlives its input file is assumed, not known.
    """

    owner: str
    resource: dict[str, Any]
    source: Blob
    offsets: list[int] = field(default_factory=list)
    results: dict[str, Blob | None] = field(default_factory=dict)
    expires_in: int | None = None
    hold: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def status(self) -> str:
        return str(self.resource["status"])


class OpenAIStore:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.blobs = BlobStore()
        self.files: dict[str, StoredFile] = {}
        self.uploads: dict[str, StoredUpload] = {}
        self.batches: dict[str, StoredBatch] = {}
        self.made = 0

    def new_id(self, prefix: str, length: int = 24) -> str:
        """Mixed case, as OpenAI's ids are; the same in every run."""
        self.made += 1
        mixed = hashlib.sha256(f"openai {self.made}".encode()).digest()
        return prefix + "".join(LETTERS[byte % len(LETTERS)] for byte in mixed)[:length]

    def add_file(
        self, owner: str, blob: Blob, filename: str, purpose: str, expires_in: int | None
    ) -> dict[str, Any]:
        now = int(time.time())
        pending_reads = 0 if purpose == "batch_output" else self.settings.pending_reads
        resource: dict[str, Any] = {
            "id": self.new_id("file-"),
            "object": "file",
            "bytes": blob.size,
            "created_at": now,
            "expires_at": now + expires_in if expires_in else None,
            "filename": filename,
            "purpose": purpose,
            "status": "pending" if pending_reads else "processed",
            "status_details": None,
        }
        self.files[resource["id"]] = StoredFile(owner, resource, blob, pending_reads)
        return resource

    def file(self, owner: str, native_id: str) -> StoredFile:
        found = self.files.get(native_id)
        if found is None or found.owner != owner:
            raise refuse(404, f"No such File object: {native_id}", param="id")
        return found

    def upload(self, owner: str, native_id: str) -> StoredUpload:
        found = self.uploads.get(native_id)
        if found is None or found.owner != owner:
            raise refuse(404, f"No such Upload object: {native_id}", param="upload_id")
        if found.resource["status"] == "pending" and found.resource["expires_at"] <= time.time():
            found.resource["status"] = "expired"
        return found

    def batch(self, owner: str, native_id: str) -> StoredBatch:
        found = self.batches.get(native_id)
        if found is None or found.owner != owner:
            raise refuse(404, f"No batch found with id '{native_id}'.", param="batch_id")
        return found


STORE: web.AppKey[OpenAIStore] = web.AppKey("openai_store", OpenAIStore)
OWNER = web.RequestKey("owner", str)
