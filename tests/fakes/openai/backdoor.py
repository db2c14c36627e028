"""What tests see and steer behind the fake OpenAI's API."""

from typing import Any

from ..blob import digest
from ..shape import Flag, Nullable, Number, Record, Sequence, Text
from .progress import advance, fail, move
from .store import TERMINAL, OpenAIStore

STATUSES = TERMINAL | {"validating", "in_progress", "finalizing", "cancelling"}
ERROR = Record(
    {
        "code": Text(low=1),
        "line": Nullable(Number(low=1, whole=True)),
        "message": Text(low=1),
        "param": Nullable(Text()),
    },
    required=("code", "message"),
)
BATCH = Record(
    {
        "status": Text(choices=STATUSES),
        "hold": Nullable(Text(choices=STATUSES)),
        "advance": Flag(),
        "errors": Sequence(ERROR, low=1),
    }
)
UPLOAD = Record({"status": Text(choices=["expired"])}, required=("status",))


class OpenAIBackdoor:
    def __init__(self, store: OpenAIStore) -> None:
        self.store = store

    def objects(self) -> dict[str, list[str]]:
        return {
            "files": list(self.store.files),
            "uploads": list(self.store.uploads),
            "batches": list(self.store.batches),
        }

    async def file_sha256(self, native_id: str) -> str:
        return (await digest(self.store.files[native_id].blob)).hex()

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": S}` moves it there now, `{"hold": S}` keeps it there, `{"advance": true}`.

        `errors`: why it fails, with `{"status": "failed"}`.
        """
        batch, steering = self.store.batches[native_id], BATCH.parse(order)
        async with batch.lock:
            if "errors" in steering:
                fail(batch, [{"line": None, "param": None, **e} for e in steering["errors"]])
            if "hold" in steering:
                batch.hold = steering["hold"]
            if "status" in steering:
                await move(self.store, batch, steering["status"])
            elif steering.get("advance"):
                await advance(self.store, batch)
        return batch.resource

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": "expired"}`."""
        upload = self.store.uploads[native_id]
        upload.resource |= UPLOAD.parse(order)
        return upload.resource

    def clear(self) -> None:
        self.store.files.clear()
        self.store.uploads.clear()
        self.store.batches.clear()
        self.store.blobs.clear()

    def close(self) -> None:
        self.store.blobs.close()
