"""The fake Gemini's files and batches as a document, and back. What is being uploaded stays out."""

from typing import Any

from ..holdings import packed_blob, unpacked_blob
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


class GeminiHoldings:
    """Implements `holdings.Holder`. `made` is how many ids were given out."""

    def __init__(self, store: GeminiStore) -> None:
        self._store = store

    def holdings(self) -> dict[str, Any]:
        store = self._store
        return {
            "made": store.made,
            "files": [_file(each) for each in store.files.values()],
            "batches": [_batch(each) for each in store.batches.values()],
        }

    def put(self, holdings: dict[str, Any], origin: str) -> None:
        store, blobs = self._store, self._store.blobs
        store.made = max(store.made, holdings["made"])
        for native_id, each in ((_id(each), each) for each in holdings["files"]):
            resource = _with_addresses(each["resource"], "", origin)
            blob = unpacked_blob(blobs, each["content"])
            store.files[native_id] = StoredFile(each["owner"], resource, blob)
        for each in holdings["batches"]:
            source = each["source"]
            batch = StoredBatch(
                **{name: each[name] for name in PLAIN},
                source=None if source is None else unpacked_blob(blobs, source),
            )
            store.batches[batch.native_id] = batch


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
