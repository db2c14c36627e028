"""The fake Mistral's objects as a document, and back."""

from typing import Any

from ..snapshot import NumberedSnapshot, Section, packed_blob, unpacked_blob
from .store import MistralStore, StoredFile, StoredJob


class MistralSnapshot(NumberedSnapshot):
    def __init__(self, store: MistralStore) -> None:
        sections = {
            "files": Section(store.files, _file, self._put_file),
            "jobs": Section(store.jobs, _job, self._put_job),
        }
        super().__init__(store, sections)
        self._files, self._jobs, self._blobs = store.files, store.jobs, store.blobs

    def _put_file(self, document: dict[str, Any]) -> None:
        resource, content = document["resource"], unpacked_blob(self._blobs, document["content"])
        self._files[resource["id"]] = StoredFile(document["owner"], resource, content)

    def _put_job(self, document: dict[str, Any]) -> None:
        results = document["results"].items()
        self._jobs[document["resource"]["id"]] = StoredJob(
            document["owner"],
            document["resource"],
            [unpacked_blob(self._blobs, source) for source in document["sources"]],
            [(source, offset) for source, offset in document["lines"]],
            {kind: unpacked_blob(self._blobs, text) for kind, text in results},
        )


def _file(file: StoredFile) -> dict[str, Any]:
    return {"owner": file.owner, "resource": file.resource, "content": packed_blob(file.blob)}


def _job(job: StoredJob) -> dict[str, Any]:
    results = {kind: packed_blob(blob) for kind, blob in job.results.items() if blob is not None}
    return {
        "owner": job.owner,
        "resource": job.resource,
        "sources": [packed_blob(source) for source in job.sources],
        "lines": job.lines,
        "results": results,
    }
