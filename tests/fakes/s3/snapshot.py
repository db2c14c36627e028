"""The fake S3's objects and unfinished uploads as a document, and back."""

from typing import Any

from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from requests.structures import CaseInsensitiveDict

from ..snapshot import packed, unpacked
from .begun import BegunUploads
from .moto_server import MotoServer


class S3Snapshot:
    """Implements `snapshot.SnapshotSource`."""

    def __init__(self, moto: MotoServer, begun: BegunUploads) -> None:
        self._moto = moto
        self._begun = begun

    def snapshot(self) -> dict[str, Any]:
        buckets = self._moto.backend.buckets.values()
        return {
            "objects": [
                {"bucket": bucket.name, **_object(each)}
                for bucket in buckets
                for each in bucket.keys.values()
            ],
            "uploads": [
                {"bucket": bucket.name, "begun": self._begun.time(each.id), **_upload(each)}
                for bucket in buckets
                for each in bucket.multiparts.values()
            ],
        }

    def put(self, snapshot: dict[str, Any], origin: str) -> None:
        backend = self._moto.backend
        for each in snapshot["objects"]:
            content = unpacked(each["content"])
            made = backend.put_object(each["bucket"], each["key"], content)
            made.set_metadata(dict(each["metadata"]))
        for each in snapshot["uploads"]:
            self._begun.keep(each["id"], each["begun"])
            _put_upload(backend, each)


def _object(key: FakeKey) -> dict[str, Any]:
    return {"key": key.name, "metadata": dict(key.metadata), "content": packed(key.value)}


def _upload(upload: FakeMultipart) -> dict[str, Any]:
    return {
        "id": upload.id,
        "key": upload.key_name,
        "metadata": dict(upload.metadata),
        "parts": {number: packed(part.value) for number, part in upload.parts.items()},
    }


def _put_upload(backend: S3Backend, document: dict[str, Any]) -> None:
    """moto makes a new id, which is replaced by the recorded one."""
    upload = FakeMultipart(
        document["key"],
        CaseInsensitiveDict(document["metadata"]),
        backend.account_id,
        backend.region_name,
        tags={},
    )
    upload.id = document["id"]
    for number, part in document["parts"].items():
        upload.set_part(int(number), unpacked(part))
    backend.get_bucket(document["bucket"]).multiparts[upload.id] = upload
