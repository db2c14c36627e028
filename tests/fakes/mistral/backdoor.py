"""What tests see and steer behind the fake Mistral's API."""

from typing import Any

from ..blob import digest
from ..shape import Flag, Nullable, Number, Record, Sequence, ShapeError, Text
from .jobs import STATUSES
from .progress import advance, fail, move
from .store import MistralStore

ERROR = Record(
    {"message": Text(low=1), "count": Number(low=1, whole=True)}, required=("message", "count")
)
JOB = Record(
    {
        "status": Text(choices=STATUSES),
        "hold": Nullable(Text(choices=STATUSES)),
        "advance": Flag(),
        "errors": Sequence(ERROR, low=1),
    }
)


class MistralBackdoor:
    def __init__(self, store: MistralStore) -> None:
        self.store = store

    def objects(self) -> dict[str, list[str]]:
        return {"files": list(self.store.files), "uploads": [], "batches": list(self.store.jobs)}

    async def file_sha256(self, native_id: str) -> str:
        return (await digest(self.store.files[native_id].blob)).hex()

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": S}` moves it there now, `{"hold": S}` keeps it there, `{"advance": true}`.

        `errors`: why it fails, with `{"status": "FAILED"}`.
        """
        job, steering = self.store.jobs[native_id], JOB.parse(order)
        async with job.lock:
            if "errors" in steering:
                fail(job, steering["errors"])
            if "hold" in steering:
                job.hold = steering["hold"]
            if "status" in steering:
                await move(self.store, job, steering["status"])
            elif steering.get("advance"):
                await advance(self.store, job)
        return job.resource

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        raise ShapeError("value", "", "Mistral has no uploads in parts.")

    def clear(self) -> None:
        self.store.files.clear()
        self.store.jobs.clear()
        self.store.blobs.clear()

    def close(self) -> None:
        self.store.blobs.close()
