"""The calls that are relayed to Google where tenants share one key: these and no others.

Paths are matched as they are sent, percent-encoded, and names must be in Google's alphabet
(gemini.md section 4), so no spelling of a path can bypass the check.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from yarl import URL

from providers.errors import invalid_argument, unimplemented
from providers.gemini.owned_resources import ID
from providers.tenancy.ownership import ResourceKind


class CallKind(Enum):
    LIST = auto()
    READ = auto()
    CANCEL = auto()
    DELETE = auto()
    CREATE_BATCH = auto()
    STATELESS = auto()


@dataclass(frozen=True, slots=True)
class IsolatedCall:
    """One call that may be relayed.

    `resource_kind` is None for a call about a model; `id` is empty for a list or a creation.
    """

    kind: CallKind
    resource_kind: ResourceKind | None
    id: str = ""


_VERSION: Final = r"(?:/v[0-9][a-z0-9]*)?"
_ID: Final = rf"(?P<id>{ID})"
_MODEL: Final = r"[A-Za-z0-9._~-]{1,128}"
# These calls change nothing in the account.
_STATELESS: Final = (
    "generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents"
)

_CALLS: Final = [
    (method, re.compile(pattern), resource_kind, kind)
    for method, pattern, resource_kind, kind in (
        ("GET", rf"{_VERSION}/files", ResourceKind.FILES, CallKind.LIST),
        ("GET", rf"{_VERSION}/files/{_ID}", ResourceKind.FILES, CallKind.READ),
        (
            "GET",
            rf"(?:/download)?{_VERSION}/files/{_ID}:download",
            ResourceKind.FILES,
            CallKind.READ,
        ),
        ("DELETE", rf"{_VERSION}/files/{_ID}", ResourceKind.FILES, CallKind.DELETE),
        ("GET", rf"{_VERSION}/batches", ResourceKind.BATCHES, CallKind.LIST),
        ("GET", rf"{_VERSION}/batches/{_ID}", ResourceKind.BATCHES, CallKind.READ),
        ("DELETE", rf"{_VERSION}/batches/{_ID}", ResourceKind.BATCHES, CallKind.DELETE),
        ("POST", rf"{_VERSION}/batches/{_ID}:cancel", ResourceKind.BATCHES, CallKind.CANCEL),
        (
            "POST",
            rf"{_VERSION}/models/{_MODEL}:(?:batchGenerateContent|asyncBatchEmbedContent)",
            ResourceKind.BATCHES,
            CallKind.CREATE_BATCH,
        ),
        ("GET", rf"{_VERSION}/models(?:/{_MODEL})?", None, CallKind.STATELESS),
        ("POST", rf"{_VERSION}/models/{_MODEL}:(?:{_STATELESS})", None, CallKind.STATELESS),
    )
]

# The form of the answer, and the page of a list. Other parameters could change what a call does.
_QUERY: Final = frozenset(
    {"alt", "prettyPrint", "pageSize", "page_size", "pageToken", "page_token"}
)


def parse_call(method: str, target: URL) -> IsolatedCall:
    """Raises UNIMPLEMENTED for a call that is not in the list."""
    for listed, pattern, resource_kind, kind in _CALLS:
        match = pattern.fullmatch(target.raw_path) if method == listed else None
        if match is not None:
            _check_query(target)
            return IsolatedCall(kind, resource_kind, match.groupdict().get("id") or "")
    raise unimplemented("this path is not served where tenants share the proxy's own key")


def _check_query(target: URL) -> None:
    for name in target.query:
        if name not in _QUERY:
            raise invalid_argument(
                "this parameter is not served where tenants share the proxy's own key",
                path=name[:80],
            )
