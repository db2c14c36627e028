"""The fake Bedrock's jobs as a document, and back, with what its S3 holds."""

from datetime import datetime
from typing import Any

from ..snapshot import NumberedSnapshot, Section, SnapshotSource
from .models import find_model
from .store import BedrockStore, StoredJob


class BedrockSnapshot(NumberedSnapshot):
    def __init__(self, store: BedrockStore, s3: SnapshotSource) -> None:
        super().__init__(store, {"jobs": Section(store.jobs, _job, self._put_job)})
        self._keep = store.keep
        self._s3 = s3

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "s3": self._s3.snapshot()}

    def put(self, snapshot: dict[str, Any], origin: str) -> None:
        super().put(snapshot, origin)
        self._s3.put(snapshot["s3"], origin)

    def _put_job(self, document: dict[str, Any]) -> None:
        asked, resource = document["asked"], document["resource"]
        submitted = datetime.fromisoformat(resource["submitTime"])
        model = find_model(asked["modelId"])
        job = StoredJob(document["number"], submitted, model, asked, resource)
        self._keep(job, resource.get("clientRequestToken"))


def _job(job: StoredJob) -> dict[str, Any]:
    return {"number": job.number, "asked": job.asked, "resource": job.resource}
