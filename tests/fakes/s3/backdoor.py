"""What tests can see of the fake S3 behind its API."""

import hashlib
from typing import Any

from .moto_server import MotoServer


class S3Backdoor:
    """Implements `control.Backdoor`; objects are found by key, in either bucket."""

    def __init__(self, moto: MotoServer, state_bucket: str, files_bucket: str) -> None:
        self._moto = moto
        self._state_bucket = state_bucket
        self._files_bucket = files_bucket

    def objects(self) -> dict[str, list[str]]:
        """`objects` are those of the state's bucket; `uploads` are the unfinished ones in both."""
        state = self._moto.backend.get_bucket(self._state_bucket)
        files = self._moto.backend.get_bucket(self._files_bucket)
        return {
            "objects": sorted(state.keys),
            "files": sorted(files.keys),
            "uploads": sorted([*state.multiparts, *files.multiparts]),
        }

    async def file_sha256(self, native_id: str) -> str:
        for bucket in (self._files_bucket, self._state_bucket):
            found = self._moto.backend.get_object(bucket, native_id)
            if found is not None:
                return hashlib.sha256(found.value).hexdigest()
        raise KeyError(native_id)

    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]:
        raise KeyError(native_id)

    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]:
        raise KeyError(native_id)

    def clear(self) -> None:
        self._moto.clear()

    def close(self) -> None:
        self._moto.stop()
