"""What tests see of the fake S3 behind its API."""

import hashlib
from typing import Any

from .moto_server import MotoServer


class S3Backdoor:
    """Implements `control.Backdoor`; objects are told by key."""

    def __init__(self, moto: MotoServer, bucket: str) -> None:
        self._moto = moto
        self._bucket = bucket

    def objects(self) -> dict[str, list[str]]:
        bucket = self._moto.backend.get_bucket(self._bucket)
        return {"objects": sorted(bucket.keys), "uploads": sorted(bucket.multiparts)}

    async def file_sha256(self, native_id: str) -> str:
        found = self._moto.backend.get_object(self._bucket, native_id)
        if found is None:
            raise KeyError(native_id)
        return hashlib.sha256(found.value).hexdigest()

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        raise KeyError(native_id)

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        raise KeyError(native_id)

    def clear(self) -> None:
        self._moto.clear()

    def close(self) -> None:
        self._moto.stop()
