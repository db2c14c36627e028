"""The fake OpenAI's objects as a document, and back."""

from typing import Any

from ..snapshot import NumberedSnapshot, Section, packed_blob, unpacked_blob
from .store import OpenAIStore, StoredBatch, StoredFile, StoredUpload


class OpenAISnapshot(NumberedSnapshot):
    def __init__(self, store: OpenAIStore) -> None:
        sections = {
            "files": Section(store.files, _file, self._put_file),
            "uploads": Section(store.uploads, _upload, self._put_upload),
            "batches": Section(store.batches, _batch, self._put_batch),
        }
        super().__init__(store, sections)
        self._files, self._uploads, self._batches = store.files, store.uploads, store.batches
        self._blobs = store.blobs

    def _put_file(self, document: dict[str, Any]) -> None:
        resource, content = document["resource"], unpacked_blob(self._blobs, document["content"])
        self._files[resource["id"]] = StoredFile(document["owner"], resource, content)

    def _put_upload(self, document: dict[str, Any]) -> None:
        resource = document["resource"]
        parts = {name: unpacked_blob(self._blobs, part) for name, part in document["parts"].items()}
        upload = StoredUpload(document["owner"], resource, parts, document["lifetime"])
        self._uploads[resource["id"]] = upload

    def _put_batch(self, document: dict[str, Any]) -> None:
        resource = document["resource"]
        self._batches[resource["id"]] = StoredBatch(
            document["owner"],
            resource,
            unpacked_blob(self._blobs, document["source"]),
            document["offsets"],
            expires_in=document["expires_in"],
        )


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
