"""The fake Anthropic's files and batches, each in the workspace of one credential."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from ..blob import Blob, BlobStore
from ..journal import Settings
from ..prompt_cache import PromptCache
from .bindings import Bindings
from .dialect import Dialect
from .envelope import now, refuse, timestamp

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"
LIFETIME = timedelta(hours=24)


@dataclass
class StoredFile:
    owner: str
    number: int
    resource: dict[str, Any]
    blob: Blob
    expires: datetime | None = None

    @property
    def expired(self) -> bool:
        return self.expires is not None and self.expires <= now()


@dataclass
class StoredBatch:
    """`resource` is what the API shows, less the results' URL, which is the answering server's.

    `requests` are the places (start, end) of the requests in `source`. A test may `hold` the batch
    in a state, and say how many requests are answered (`reached`) before it ends.
    """

    owner: str
    resource: dict[str, Any]
    source: Blob
    requests: list[tuple[int, int]]
    dialect: Dialect
    results: Blob | None = None
    reached: int | None = None
    hold: str | None = None
    seen: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def status(self) -> str:
        return str(self.resource["processing_status"])


class AnthropicStore:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.blobs = BlobStore()
        self.prompts = PromptCache()
        self.bindings = Bindings()
        self.files: dict[str, StoredFile] = {}
        self.batches: dict[str, StoredBatch] = {}
        self.made = 0

    def new_id(self, prefix: str) -> str:
        """Mixed case, as Anthropic's ids are; the same in every run."""
        mixed = hashlib.sha256(f"anthropic {self._next()}".encode()).digest()
        return f"{prefix}01" + "".join(LETTERS[byte % len(LETTERS)] for byte in mixed)[:22]

    def _next(self) -> int:
        self.made += 1
        return self.made

    def add_file(
        self, owner: str, blob: Blob, filename: str, mime_type: str, lifetime: int | None
    ) -> dict[str, Any]:
        """Uploads cannot be downloaded. They expire after `lifetime` seconds, or never."""
        created = now()
        expires = created + timedelta(seconds=lifetime) if lifetime else None
        resource: dict[str, Any] = {
            "id": self.new_id("file_"),
            "type": "file",
            "filename": filename,
            "mime_type": mime_type,
            "size_bytes": blob.size,
            "created_at": timestamp(created),
            "downloadable": False,
            "expires_at": timestamp(expires) if expires else None,
        }
        number = self._next()
        self.files[resource["id"]] = StoredFile(owner, number, resource, blob, expires)
        return resource

    def file(self, owner: str, native_id: str) -> StoredFile:
        found = self.files.get(native_id)
        if found is None or found.owner != owner:
            raise refuse(404, f"File not found: {native_id}")
        if found.expired:
            raise refuse(404, f"File has expired: {native_id}", error_code="file_expired")
        return found

    def add_batch(
        self, owner: str, source: Blob, requests: list[tuple[int, int]], dialect: Dialect
    ) -> StoredBatch:
        created = now()
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        resource: dict[str, Any] = {
            "id": self.new_id("msgbatch_"),
            "type": "message_batch",
            "processing_status": "in_progress",
            "request_counts": counts | {"processing": len(requests)},
            "ended_at": None,
            "created_at": timestamp(created),
            "expires_at": timestamp(created + LIFETIME),
            "archived_at": None,
            "cancel_initiated_at": None,
        }
        batch = StoredBatch(owner, resource, source, requests, dialect)
        self.batches[resource["id"]] = batch
        return batch

    def batch(self, owner: str, native_id: str) -> StoredBatch:
        found = self.batches.get(native_id)
        if found is None or found.owner != owner:
            raise refuse(404, f"Message Batch not found: {native_id}")
        return found


STORE: web.AppKey[AnthropicStore] = web.AppKey("anthropic_store", AnthropicStore)
OWNER = web.RequestKey("owner", str)
DIALECT = web.RequestKey("dialect", Dialect)
