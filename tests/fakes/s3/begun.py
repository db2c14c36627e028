"""When each multipart upload began: moto answers 2010 for every upload."""

import re
from datetime import UTC, datetime

_BEGUN = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_LISTED = re.compile(rb"<Upload>.*?</Upload>", re.DOTALL)
_INITIATED = re.compile(rb"<Initiated>[^<]*</Initiated>")


class BegunUploads:
    def __init__(self) -> None:
        self._times: dict[bytes, bytes] = {}

    def note(self, answer: bytes) -> None:
        """The answer to CreateMultipartUpload."""
        for upload in _BEGUN.findall(answer):
            self._times[upload] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()

    def time(self, upload: str) -> str:
        """When the upload with that id began."""
        return self._times[upload.encode()].decode()

    def keep(self, upload: str, time: str) -> None:
        self._times[upload.encode()] = time.encode()

    def correct(self, answer: bytes) -> bytes:
        """The answer to ListMultipartUploads, with the real times."""
        return _LISTED.sub(lambda listed: self._correct(listed[0]), answer)

    def _correct(self, listed: bytes) -> bytes:
        [upload] = _BEGUN.findall(listed)
        return _INITIATED.sub(b"<Initiated>" + self._times[upload] + b"</Initiated>", listed)
