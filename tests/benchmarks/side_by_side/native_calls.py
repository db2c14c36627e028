"""The calls to the providers themselves whose bare relay the small rows are compared with."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.sides import NATIVE, Side
from tests.fakes.aws_keys import LONG_TERM, REGION
from tests.processes import Process

FILES: Final = 10
"""How many files a list shows."""


@dataclass(frozen=True)
class Native:
    """A call to the upstream at `origin`."""

    origin: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"


def native_calls(kind: str, origin: Process) -> Sequence[Native]:
    """To get a batch, to get a file, and to list the files that are at the fake."""
    return _CALLS[kind](origin)


def _gemini(origin: Process) -> Sequence[Native]:
    batch = _asked("gemini", origin, "/v1beta/batches")["operations"][0]["name"]
    file = _asked("gemini", origin, "/v1beta/files")["files"][0]["name"]
    paths = (f"/v1beta/{batch}", f"/v1beta/{file}", f"/v1beta/files?pageSize={FILES}")
    return [Native(origin.url, path, NATIVE["gemini"]) for path in paths]


def _listing(
    kind: str, batches: str, files: str, size: str
) -> Callable[[Process], Sequence[Native]]:
    """For a provider whose lists have the member `data`; `size` is how it calls a page's size."""

    def calls(origin: Process) -> Sequence[Native]:
        batch = _asked(kind, origin, batches)["data"][0]["id"]
        file = _asked(kind, origin, files)["data"][0]["id"]
        paths = (f"{batches}/{batch}", f"{files}/{file}", f"{files}?{size}={FILES}")
        return [Native(origin.url, path, NATIVE[kind]) for path in paths]

    return calls


def _bedrock(origin: Process) -> Sequence[Native]:
    """Signatures are valid for 15 minutes, and so the calls are."""
    s3 = str(origin.ready["s3_url"])
    bucket = f"/{urlsplit(origin.ready['s3_uri']).netloc}"
    jobs = load.call(_signed_side(origin.url, "/model-invocation-jobs"), "/model-invocation-jobs")
    arn = quote(jobs["invocationJobSummaries"][0]["jobArn"], safe="")
    listing = f"{bucket}?list-type=2&max-keys={FILES}"
    listed = load.content(_signed_side(s3, listing), listing)
    key = re.search(r"<Key>([^<]+)</Key>", listed.decode())
    assert key is not None
    return [
        _signed(origin.url, "GET", f"/model-invocation-job/{arn}"),
        _signed(s3, "HEAD", f"{bucket}/{key[1]}"),
        _signed(s3, "GET", listing),
    ]


def _signed_side(origin: str, path: str) -> Side:
    return Side("the fake", 0, origin, _signed(origin, "GET", path).headers)


def _signed(origin: str, method: str, path: str) -> Native:
    request = AWSRequest(method, origin + path)
    if path.startswith("/model-"):
        SigV4Auth(LONG_TERM.credentials, "bedrock", REGION).add_auth(request)
    else:
        S3SigV4Auth(LONG_TERM.credentials, "s3", REGION).add_auth(request)
    return Native(origin, path, dict(request.headers.items()), method)


def _asked(kind: str, origin: Process, path: str) -> dict[str, list[dict[str, str]]]:
    base = urlsplit(origin.url).path
    side = Side("the fake", origin.pid, origin.url, NATIVE[kind], base)
    found: dict[str, list[dict[str, str]]] = load.call(side, path)
    return found


_CALLS: Final[Mapping[str, Callable[[Process], Sequence[Native]]]] = {
    "gemini": _gemini,
    "openai": _listing("openai", "/batches", "/files", "limit"),
    "anthropic": _listing("anthropic", "/v1/messages/batches", "/v1/files", "limit"),
    "mistral": _listing("mistral", "/batch/jobs", "/files", "page_size"),
    "bedrock": _bedrock,
}
KINDS: Final = tuple(_CALLS)
