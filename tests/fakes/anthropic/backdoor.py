"""What tests see and steer behind the fake Anthropic's API."""

from datetime import timedelta
from typing import Any

from ..blob import digest
from ..shape import Flag, Nullable, Number, Record, Text
from .envelope import now, timestamp
from .progress import STATUSES, advance, move
from .store import AnthropicStore

STATUS = Text(choices=STATUSES)
BATCH = Record(
    {
        "status": STATUS,
        "hold": Nullable(STATUS),
        "advance": Flag(),
        "reached": Number(low=0, whole=True),
        "archived": Flag(),
    }
)
FILE = Record({"status": Text(choices=["expired"]), "downloadable": Flag()})


class AnthropicBackdoor:
    def __init__(self, store: AnthropicStore) -> None:
        self.store = store

    def objects(self) -> dict[str, list[str]]:
        return {
            "files": list(self.store.files),
            "uploads": [],
            "batches": list(self.store.batches),
        }

    async def file_sha256(self, native_id: str) -> str:
        return (await digest(self.store.files[native_id].blob)).hex()

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        """`{"status": S}` moves it there now, `{"hold": S}` keeps it there, `{"advance": true}`.

        `{"reached": N}`: N requests are answered before it ends, and the others cancelled if it
        was, else expired. `{"archived": true}`: an ended batch's results are gone.
        """
        batch, steering = self.store.batches[native_id], BATCH.parse(order)
        async with batch.lock:
            batch.reached = steering.get("reached", batch.reached)
            batch.hold = steering.get("hold", batch.hold)
            if "status" in steering:
                await move(self.store, batch, steering["status"])
            elif steering.get("advance"):
                await advance(self.store, batch)
            if steering.get("archived"):
                if batch.status != "ended":
                    raise ValueError("only an ended batch is archived")
                batch.resource["archived_at"] = timestamp(now())
        return batch.resource

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        """A file is an upload by default: `{"status": "expired"}`, `{"downloadable": true}`.

        The latter makes it a file that a tool of the model created.
        """
        file, steering = self.store.files[native_id], FILE.parse(order)
        if "status" in steering:
            file.expires = now() - timedelta(seconds=1)
            file.resource["expires_at"] = timestamp(file.expires)
        if "downloadable" in steering:
            file.resource["downloadable"] = steering["downloadable"]
        return file.resource

    def clear(self) -> None:
        self.store.files.clear()
        self.store.batches.clear()
        self.store.blobs.clear()

    def close(self) -> None:
        self.store.blobs.close()
