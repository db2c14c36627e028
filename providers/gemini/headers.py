"""The headers that are sent to Google: these and no others."""

from collections.abc import Iterable, Mapping
from typing import Final

from providers.credential import Caller, Credential

SCOPING: Final = frozenset({"x-goog-user-project"})

# About the client and its call; sent with every request.
_CONTEXT: Final = SCOPING | {
    "accept-language",
    "user-agent",
    "x-goog-api-client",
    "x-goog-request-params",
    "x-server-timeout",
}

# About the content of a relayed request, and the answer that it expects. The upload headers belong
# to the multipart and raw protocols, which are relayed too.
_CONTENT: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-type",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
        "x-goog-fieldmask",
        "x-goog-upload-command",
        "x-goog-upload-file-name",
        "x-goog-upload-header-content-length",
        "x-goog-upload-header-content-type",
        "x-goog-upload-offset",
        "x-goog-upload-protocol",
    }
)

PASSED: Final = _CONTEXT | _CONTENT


def relayed(caller: Caller, inbound: Mapping[str, str]) -> dict[str, str]:
    return _allowed(inbound, PASSED) | _credential(caller.credential)


def started(caller: Caller, upload: dict[str, str]) -> dict[str, str]:
    """For the start of an upload; `upload` are the headers of the upload protocol."""
    context = _allowed(caller.headers, _CONTEXT)
    return context | upload | _credential(caller.credential)


def _allowed(inbound: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name.lower(): value for name, value in inbound.items() if name.lower() in names}


def _credential(credential: Credential) -> dict[str, str]:
    headers = {}
    if credential.api_key:
        headers["x-goog-api-key"] = credential.api_key
    if credential.bearer:
        headers["authorization"] = f"Bearer {credential.bearer}"
    return headers


# The proxy writes these itself.
_UPLOAD: Final = "x-goog-upload-"
_OWN: Final = frozenset({"status", "url", "control-url", "size-received"})


def answered(reply: Mapping[str, str]) -> dict[str, str]:
    """Google's further `X-Goog-Upload-*` headers, in Google's spelling."""
    found = {
        name.lower().removeprefix(_UPLOAD): value
        for name, value in reply.items()
        if name.lower().startswith(_UPLOAD)
    }
    return {
        f"X-Goog-Upload-{name.title()}": value for name, value in found.items() if name not in _OWN
    }
