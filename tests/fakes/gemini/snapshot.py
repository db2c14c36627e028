"""The fake Gemini's files and batches as a document, and back. What is being uploaded stays out."""

from typing import Any

from ..snapshot import NumberedSnapshot, Section, packed_blob, unpacked_blob
from .store import GeminiStore, StoredBatch, StoredFile

ADDRESSES = ("uri", "downloadUri")
# Members of a batch that are JSON as they are.
PLAIN = (
    "owner",
    "native_id",
    "model",
    "embedding",
    "display_name",
    "input_config",
    "inline",
    "created",
    "updated",
    "state",
    "ended",
    "output",
    "error",
    "requests",
    "failed",
)


class GeminiSnapshot(NumberedSnapshot):
    def __init__(self, store: GeminiStore) -> None:
        sections = {
            "files": Section(store.files, _file, self._put_file),
            "batches": Section(store.batches, _batch, self._put_batch),
        }
        super().__init__(store, sections)
        self._files, self._batches, self._blobs = store.files, store.batches, store.blobs

    def put(self, snapshot: dict[str, Any], origin: str) -> None:
        """The addresses of the files begin with `origin`."""
        files = [
            file | {"resource": _with_addresses(file["resource"], "", origin)}
            for file in snapshot["files"]
        ]
        super().put(snapshot | {"files": files}, origin)

    def _put_file(self, document: dict[str, Any]) -> None:
        blob = unpacked_blob(self._blobs, document["content"])
        stored = StoredFile(document["owner"], document["resource"], blob)
        self._files[_id(document)] = stored

    def _put_batch(self, document: dict[str, Any]) -> None:
        source = document["source"]
        batch = StoredBatch(
            **{name: document[name] for name in PLAIN},
            source=None if source is None else unpacked_blob(self._blobs, source),
        )
        self._batches[batch.native_id] = batch


def _file(file: StoredFile) -> dict[str, Any]:
    """Its addresses without the origin, which is another one in the next run."""
    origin = file.resource["uri"].partition("/v1")[0]
    resource = _with_addresses(file.resource, origin, "")
    return {"owner": file.owner, "resource": resource, "content": packed_blob(file.blob)}


def _id(file: dict[str, Any]) -> str:
    return str(file["resource"]["name"].removeprefix("files/"))


def _with_addresses(resource: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """Those of `resource` begin with `after` in place of `before`."""
    addresses = {name: resource[name] for name in ADDRESSES if name in resource}
    return resource | {
        name: after + address.removeprefix(before) for name, address in addresses.items()
    }


def _batch(batch: StoredBatch) -> dict[str, Any]:
    source = None if batch.source is None else packed_blob(batch.source)
    return {**{name: getattr(batch, name) for name in PLAIN}, "source": source}
