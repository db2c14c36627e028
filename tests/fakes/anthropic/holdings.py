"""The fake Anthropic's objects as a document, and back."""

from datetime import datetime
from typing import Any

from ..holdings import packed_blob, unpacked_blob
from .dialect import Dialect
from .store import AnthropicStore, StoredBatch, StoredFile


class AnthropicHoldings:
    """Implements `holdings.Holder`. `made` is the number of ids that were given out."""

    def __init__(self, store: AnthropicStore) -> None:
        self._store = store

    def holdings(self) -> dict[str, Any]:
        store = self._store
        return {
            "made": store.made,
            "files": [_file(each) for each in store.files.values()],
            "batches": [_batch(each) for each in store.batches.values()],
        }

    def put(self, holdings: dict[str, Any], origin: str) -> None:
        store = self._store
        store.made = max(store.made, holdings["made"])
        for each in holdings["files"]:
            store.files[each["resource"]["id"]] = self._stored_file(each)
        for each in holdings["batches"]:
            store.batches[each["resource"]["id"]] = self._stored_batch(each)

    def _stored_file(self, document: dict[str, Any]) -> StoredFile:
        expires = document["resource"]["expires_at"]
        return StoredFile(
            document["owner"],
            document["number"],
            document["resource"],
            unpacked_blob(self._store.blobs, document["content"]),
            datetime.fromisoformat(expires) if expires else None,
        )

    def _stored_batch(self, document: dict[str, Any]) -> StoredBatch:
        results = document["results"]
        return StoredBatch(
            document["owner"],
            document["resource"],
            unpacked_blob(self._store.blobs, document["source"]),
            [(start, end) for start, end in document["requests"]],
            Dialect(document["version"], frozenset(document["betas"])),
            unpacked_blob(self._store.blobs, results) if results is not None else None,
            seen=document["seen"],
        )


def _file(file: StoredFile) -> dict[str, Any]:
    return {
        "owner": file.owner,
        "number": file.number,
        "resource": file.resource,
        "content": packed_blob(file.blob),
    }


def _batch(batch: StoredBatch) -> dict[str, Any]:
    return {
        "owner": batch.owner,
        "resource": batch.resource,
        "source": packed_blob(batch.source),
        "requests": batch.requests,
        "version": batch.dialect.version,
        "betas": sorted(batch.dialect.betas),
        "results": packed_blob(batch.results) if batch.results is not None else None,
        "seen": batch.seen,
    }
