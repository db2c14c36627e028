"""What tests see and control behind the APIs of Bedrock and its S3."""

from typing import Any

from ..control import Backdoor
from ..shape import Flag, Nullable, Number, Record, Text
from .progress import advance, move
from .store import STATUSES, TERMINAL, BedrockStore

STATUS = Text(choices=STATUSES)
JOB = Record(
    {
        "status": STATUS,
        "message": Text(high=2048),
        "hold": Nullable(STATUS),
        "advance": Flag(),
        "reached": Nullable(Number(low=0, whole=True)),
    }
)


class BedrockBackdoor:
    """Implements `control.Backdoor`; files and uploads are S3's."""

    def __init__(self, store: BedrockStore, s3: Backdoor) -> None:
        self._store = store
        self._s3 = s3

    def objects(self) -> dict[str, list[str]]:
        return {**self._s3.objects(), "batches": list(self._store.jobs)}

    async def file_sha256(self, native_id: str) -> str:
        return await self._s3.file_sha256(native_id)

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": S}` moves it there now, `{"hold": S}` keeps it there, `{"advance": true}`.

        `{"message": M}` says why, with a status. `{"reached": N}`: N records are processed before
        it ends, and the others have no line in the output.
        """
        job, steering = self._store.jobs[native_id], JOB.parse(order)
        async with job.lock:
            job.reached = steering.get("reached", job.reached)
            job.hold = steering.get("hold", job.hold)
            if "status" in steering:
                if job.status in TERMINAL:
                    raise ValueError(f"the job has ended: {job.status}")
                await move(self._store, job, steering["status"], steering.get("message"))
            elif steering.get("advance"):
                await advance(self._store, job)
        return job.resource

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        return self._s3.steer_upload(native_id, order)

    def clear(self) -> None:
        self._store.clear()
        self._s3.clear()

    def close(self) -> None:
        self._store.blobs.close()
