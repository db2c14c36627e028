"""What tests see and steer behind the fake Gemini's API."""

from typing import Any

from ..blob import digest
from ..shape import Nullable, Record, Text
from .store import TERMINAL, GeminiStore

STATE = Text(choices=TERMINAL | {"PENDING", "RUNNING"})
BATCH = Record({"state": STATE, "hold": Nullable(STATE)})
UPLOAD = Record({"status": Text(choices=["expired"])}, required=("status",))


class GeminiBackdoor:
    def __init__(self, store: GeminiStore) -> None:
        self.store = store

    def objects(self) -> dict[str, list[str]]:
        return {
            "files": list(self.store.files),
            "uploads": list(self.store.uploads),
            "batches": list(self.store.batches),
        }

    async def file_sha256(self, native_id: str) -> str:
        return (await digest(self.store.files[native_id.removeprefix("files/")].blob)).hex()

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"state": S}` is what its next get finds it in, `{"hold": S}` keeps it there."""
        batch, steering = self.store.batches[native_id], BATCH.parse(order)
        batch.hold = steering.get("hold", batch.hold)
        batch.goal = steering.get("state", batch.goal)
        return {"state": batch.state, "hold": batch.hold, "goal": batch.goal}

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": "expired"}` forgets the session."""
        UPLOAD.parse(order)
        self.store.uploads.pop(native_id).writer.discard()
        return {}

    def clear(self) -> None:
        self.store.files.clear()
        self.store.uploads.clear()
        self.store.batches.clear()
        self.store.search_stores.clear()
        self.store.blobs.clear()

    def close(self) -> None:
        self.store.blobs.close()
