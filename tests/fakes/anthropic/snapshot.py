"""The fake Anthropic's objects as a document, and back."""

from datetime import datetime
from typing import Any

from ..snapshot import NumberedSnapshot, Section, packed_blob, unpacked_blob
from .dialect import Dialect
from .store import AnthropicStore, StoredBatch, StoredFile


class AnthropicSnapshot(NumberedSnapshot):
    def __init__(self, store: AnthropicStore) -> None:
        sections = {
            "files": Section(store.files, _file, self._put_file),
            "batches": Section(store.batches, _batch, self._put_batch),
        }
        super().__init__(store, sections)
        self._files, self._batches, self._blobs = store.files, store.batches, store.blobs

    def _put_file(self, document: dict[str, Any]) -> None:
        expires = document["resource"]["expires_at"]
        self._files[document["resource"]["id"]] = StoredFile(
            document["owner"],
            document["number"],
            document["resource"],
            unpacked_blob(self._blobs, document["content"]),
            datetime.fromisoformat(expires) if expires else None,
        )

    def _put_batch(self, document: dict[str, Any]) -> None:
        results = document["results"]
        self._batches[document["resource"]["id"]] = StoredBatch(
            document["owner"],
            document["resource"],
            unpacked_blob(self._blobs, document["source"]),
            [(start, end) for start, end in document["requests"]],
            Dialect(document["version"], frozenset(document["betas"])),
            unpacked_blob(self._blobs, results) if results is not None else None,
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
