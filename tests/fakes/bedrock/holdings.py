"""The fake Bedrock's jobs as a document, and back, with what its S3 holds."""

from datetime import datetime
from typing import Any

from ..holdings import Holder
from .models import find_model
from .store import BedrockStore, StoredJob


class BedrockHoldings:
    """Implements `holdings.Holder`. `made` is the number of ids assigned."""

    def __init__(self, store: BedrockStore, s3: Holder) -> None:
        self._store = store
        self._s3 = s3

    def holdings(self) -> dict[str, Any]:
        store = self._store
        jobs = [_job(each) for each in store.jobs.values()]
        return {"made": store.made, "jobs": jobs, "s3": self._s3.holdings()}

    def put(self, holdings: dict[str, Any], origin: str) -> None:
        self._store.made = max(self._store.made, holdings["made"])
        for each in holdings["jobs"]:
            asked, resource = each["asked"], each["resource"]
            submitted = datetime.fromisoformat(resource["submitTime"])
            model = find_model(asked["modelId"])
            job = StoredJob(each["number"], submitted, model, asked, resource)
            self._store.keep(job, resource.get("clientRequestToken"))
        self._s3.put(holdings["s3"], origin)


def _job(job: StoredJob) -> dict[str, Any]:
    return {"number": job.number, "asked": job.asked, "resource": job.resource}
