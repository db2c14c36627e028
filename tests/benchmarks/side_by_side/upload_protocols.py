"""As much of the upload protocols of Gemini, OpenAI and S3 as a proxy needs that makes no mistake.

These measure speed and check nothing; `tests/fakes` are strict.
"""

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final
from urllib.parse import parse_qs, urlsplit

OPENAI: Final = "/openai/v1"
BUCKET: Final = "bucket"
_ETAG: Final = '"0123456789abcdef0123456789abcdef"'

Answer = tuple[list[str], bytes]


@dataclass(frozen=True)
class Asked:
    """A request whose body has arrived: `length` bytes. `body` is kept if it is JSON.

    `url` is the upstream's own.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    length: int
    body: bytes
    url: str


@dataclass
class Protocols:
    """`_sizes` are those of the parts of each object in S3, by number."""

    _sizes: defaultdict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def answer(self, asked: Asked) -> Answer:
        """The header lines and the body."""
        if asked.target.startswith(OPENAI):
            return _openai(asked)
        if asked.target.startswith(f"/{BUCKET}"):
            return self._s3(asked)
        return _gemini(asked)

    def _s3(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        sizes, query = self._sizes[parts.path], parse_qs(parts.query, keep_blank_values=True)
        match asked.method, "uploads" in query:
            case "POST", True:
                sizes.clear()
                return _xml("InitiateMultipartUploadResult", "<UploadId>u</UploadId>")
            case "GET", True:
                return _xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>")
            case "PUT", _:
                sizes[int(query.get("partNumber", ["1"])[0])] = asked.length
                return [f"ETag: {_ETAG}", "Content-Length: 0"], b""
            case "GET", _ if "list-type" in query:  # a check of the caller's keys
                return _xml("ListBucketResult", "<IsTruncated>false</IsTruncated>")
            case "GET", _:
                after = int(query["part-number-marker"][0])
                return _xml("ListPartsResult", _listed(sizes, after))
            case "POST", _:
                return _xml("CompleteMultipartUploadResult", f"<ETag>{_ETAG}</ETag>")
        length = f"Content-Length: {sum(sizes.values())}"
        return [length, f"ETag: {_ETAG}", f"Last-Modified: {formatdate(usegmt=True)}"], b""


def _listed(sizes: Mapping[int, int], after: int) -> str:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><Size>{size}</Size><ETag>{_ETAG}</ETag></Part>"
        for number, size in sorted(sizes.items())
        if number > after
    )
    return f"<IsTruncated>false</IsTruncated>{parts}"


def _gemini(asked: Asked) -> Answer:
    command = asked.headers.get("x-goog-upload-command", "")
    if command == "start":
        url = f"{asked.url}/upload/v1beta/files?upload_id=u"
        lines = ("Status: active", f"URL: {url}", f"Control-URL: {url}")
        return _json({}, *(f"X-Goog-Upload-{line}" for line in lines))
    if "finalize" in command:
        file = {"name": "files/b0", "state": "ACTIVE"}
        return _json({"file": file}, "X-Goog-Upload-Status: final")
    return _json({}, "X-Goog-Upload-Status: active")


def _openai(asked: Asked) -> Answer:
    """The size of the file is in the id of its upload, so nothing need be kept."""
    path = asked.target.removeprefix(OPENAI)
    if path == "/uploads":
        size, now = json.loads(asked.body)["bytes"], int(time.time())
        return _json({"id": f"upload_{size}", "status": "pending", "expires_at": now + 3600})
    if path == "/models":  # a check of the caller's key
        return _json({"object": "list", "data": []})
    if path == "/files":  # a form: a little longer than the file
        return _json(_file(asked.length))
    _, _, upload, call = path.split("/")
    if call == "parts":
        return _json({"id": "part_1", "object": "upload.part"})
    file = _file(int(upload.removeprefix("upload_")))
    return _json({"id": upload, "status": "completed", "file": file})


def _file(size: int) -> Mapping[str, object]:
    return {
        "id": "file-1",
        "object": "file",
        "bytes": size,
        "created_at": int(time.time()),
        "filename": "a",
        "purpose": "user_data",
        "status": "processed",
    }


def _json(document: object, *lines: str) -> Answer:
    body = json.dumps(document).encode()
    return [f"Content-Length: {len(body)}", "Content-Type: application/json", *lines], body


def _xml(root: str, inner: str) -> Answer:
    body = f"<{root}>{inner}</{root}>".encode()
    return [f"Content-Length: {len(body)}", "Content-Type: application/xml"], body
