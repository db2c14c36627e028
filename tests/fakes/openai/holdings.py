"""The fake OpenAI's objects as a document, and back."""

from typing import Any

from ..holdings import packed_blob, unpacked_blob
from .store import OpenAIStore, StoredBatch, StoredFile, StoredUpload


class OpenAIHoldings:
    """Implements `holdings.Holder`. `made` is the number of ids that were given out."""

    def __init__(self, store: OpenAIStore) -> None:
        self._store = store

    def holdings(self) -> dict[str, Any]:
        store = self._store
        return {
            "made": store.made,
            "files": [_file(each) for each in store.files.values()],
            "uploads": [_upload(each) for each in store.uploads.values()],
            "batches": [_batch(each) for each in store.batches.values()],
        }

    def put(self, holdings: dict[str, Any], origin: str) -> None:
        store, blobs = self._store, self._store.blobs
        store.made = max(store.made, holdings["made"])
        for each in holdings["files"]:
            blob = unpacked_blob(blobs, each["content"])
            store.files[each["resource"]["id"]] = StoredFile(each["owner"], each["resource"], blob)
        for each in holdings["uploads"]:
            parts = {name: unpacked_blob(blobs, part) for name, part in each["parts"].items()}
            upload = StoredUpload(each["owner"], each["resource"], parts, each["lifetime"])
            store.uploads[each["resource"]["id"]] = upload
        for each in holdings["batches"]:
            batch = StoredBatch(
                each["owner"],
                each["resource"],
                unpacked_blob(blobs, each["source"]),
                each["offsets"],
                expires_in=each["expires_in"],
            )
            store.batches[each["resource"]["id"]] = batch


def _file(file: StoredFile) -> dict[str, Any]:
    return {"owner": file.owner, "resource": file.resource, "content": packed_blob(file.blob)}


def _upload(upload: StoredUpload) -> dict[str, Any]:
    return {
        "owner": upload.owner,
        "resource": upload.resource,
        "parts": {name: packed_blob(part) for name, part in upload.parts.items()},
        "lifetime": upload.lifetime,
    }


def _batch(batch: StoredBatch) -> dict[str, Any]:
    """The results of one that has ended are files; one that is about to end is between the two."""
    if batch.status == "finalizing":
        raise ValueError(f"{batch.resource['id']} is finalizing: let it end first")
    return {
        "owner": batch.owner,
        "resource": batch.resource,
        "source": packed_blob(batch.source),
        "offsets": batch.offsets,
        "expires_in": batch.expires_in,
    }
