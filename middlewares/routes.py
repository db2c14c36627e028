"""Maps method and path to one call of the API (contract.md section 2), in any version.

Prefixes depend on the SDK and on how its user set `base_url`: `/v1/upload/v1beta/files`, doubled
versions, none (sdk-wire.md sections 1a and 6). A name may contain raw slashes and colons, so a verb
is split off at the last colon.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import unquote

from providers.resource_names import file_id_of_uri

PREFIX: Final = "/genai"
UPLOAD_PATH: Final = f"{PREFIX}/upload/v1beta/files"
UPLOAD_TAIL: Final = "upload/files"
"""The end of every upload URL's path, without the version; the token is bound to it."""

_VERSION: Final = re.compile(r"v\d[a-z0-9]*")


class Call(Enum):
    UPLOAD = auto()
    UPLOAD_ELSEWHERE = auto()  # into something other than files, such as a file search store
    LIST_FILES = auto()
    GET_FILE = auto()
    DELETE_FILE = auto()
    DOWNLOAD_FILE = auto()
    GENERATE_BATCH = auto()
    EMBED_BATCH = auto()
    LIST_BATCHES = auto()
    GET_BATCH = auto()
    DELETE_BATCH = auto()
    CANCEL_BATCH = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is the decoded id or model; `target` is the raw path as Google spells it.

    For an upload into something other than files, `name` is the raw path below `upload/{version}`.
    """

    call: Call
    target: str
    version: str = ""
    name: str = ""


_CALLS: Final = {
    ("POST", "models", "batchGenerateContent"): Call.GENERATE_BATCH,
    ("POST", "models", "asyncBatchEmbedContent"): Call.EMBED_BATCH,
    ("GET", "files", "download"): Call.DOWNLOAD_FILE,
    ("GET", "files", ""): Call.GET_FILE,
    ("DELETE", "files", ""): Call.DELETE_FILE,
    ("GET", "batches", ""): Call.GET_BATCH,
    ("DELETE", "batches", ""): Call.DELETE_BATCH,
    ("POST", "batches", "cancel"): Call.CANCEL_BATCH,
}
_COLLECTIONS: Final = {
    ("GET", "files"): Call.LIST_FILES,
    ("GET", "batches"): Call.LIST_BATCHES,
}


def is_below_prefix(raw_path: str) -> bool:
    """Whether `raw_path` is below `/genai`."""
    return raw_path == PREFIX or raw_path.startswith(f"{PREFIX}/")


def effective_method(method: str) -> str:
    """A HEAD is a GET whose body is not sent (RFC 9110 section 9.3.2)."""
    return "GET" if method == "HEAD" else method


def parse_route(method: str, raw_path: str) -> Route | None:
    """The call for `raw_path`, which is still percent-encoded; None outside `/genai`."""
    method = effective_method(method)
    if not is_below_prefix(raw_path):
        return None
    version, service, rest = _split_prefix(raw_path.removeprefix(PREFIX))
    target = "/".join(part for part in ("", service, version, rest) if part)
    other = Route(Call.OTHER, raw_path.removeprefix(PREFIX).lstrip("/"), version)
    if service == "upload":
        return _upload(method, target, version, rest) or other
    if service == "" and (method, rest) in _COLLECTIONS:
        return Route(_COLLECTIONS[method, rest], target, version)
    collection, _, resource = rest.partition("/")
    name, verb = _split_verb(collection, resource)
    call = _CALLS.get((method, collection, verb))
    if call is None or not name or (service and call is not Call.DOWNLOAD_FILE):
        return other
    if collection == "files":
        name = file_id_of_uri(f"files/{name}") or name
        target = "/".join(p for p in (service, version, f"files/{name}") if p)
        target += f":{verb}" if verb else ""
    return Route(call, target, version, unquote(name))


def _upload(method: str, target: str, version: str, rest: str) -> Route | None:
    if rest == "files" and method in ("POST", "PUT"):
        return Route(Call.UPLOAD, target, version)
    if method == "POST" and rest.partition("/")[0] not in ("", "files"):
        return Route(Call.UPLOAD_ELSEWHERE, target, version, rest)
    return None


def parse_upload_url(method: str, raw_path: str) -> Route | None:
    """The route of a request on an upload URL. What precedes the last `/upload/` is ignored.

    The Java SDK appends the path of the upload URL to the path of its base URL, and an ingress may
    remove a part of the result, for example `/genai` from `/team/genai/upload/v1beta/files`.
    """
    _, found, tail = raw_path.rpartition("/upload/")
    below_our_prefix = f"{PREFIX}/upload/{tail}" if found else ""
    routes = (parse_route(method, path) for path in (raw_path, below_our_prefix))
    return next((route for route in routes if route and route.call is Call.UPLOAD), None)


def _split_prefix(path: str) -> tuple[str, str, str]:
    """The last version; `upload`, `download` or nothing; and the rest of the path."""
    version = service = ""
    segments = path.lstrip("/").split("/")
    while segments:
        if _VERSION.fullmatch(segments[0]):
            version = segments[0]
        elif segments[0] in ("upload", "download") and not service:
            service = segments[0]
        elif segments[0]:
            break
        segments.pop(0)
    return version, service, "/".join(segments)


def _split_verb(collection: str, resource: str) -> tuple[str, str]:
    """Name and verb. A colon without a known verb after it belongs to the name."""
    name, colon, verb = resource.rpartition(":")
    known = {v for _, c, v in _CALLS if c == collection and v}
    return (name, verb) if colon and verb in known else (resource, "")
