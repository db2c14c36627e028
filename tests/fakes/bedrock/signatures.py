"""SigV4 as Bedrock checks it: sign again with botocore, and compare (bedrock.md sections 1, 2, 5).

Unlike S3, the path is encoded a second time and the body is always part of what is signed.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from ..aws_keys import KEY_PAIRS, REGION, KeyPair, TokenFault
from ..refusal import Refusal
from .envelope import refuse

SERVICE = "bedrock"
SKEW = timedelta(minutes=5)
SIGNED_IF_GIVEN = frozenset({"content-type"})
TOKEN_REFUSALS: dict[TokenFault, tuple[str, str]] = {
    "missing": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "wrong": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "expired": ("ExpiredTokenException", "The security token included in the request is expired"),
}

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+), ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signed:
    """A request as it came: `url` still encoded, `headers` by names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def check_signature(request: Signed) -> None:
    """Raises Refusal."""
    given = _authorization(request.headers.get("authorization"))
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp)
    pair = _check_scope(given["credential"].split("/"), stamp, request.headers)
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise _mismatch()
    again = AWSRequest(
        request.method, request.url, _only_signed(request, given["signed"]), data=request.body
    )
    again.context["timestamp"] = stamp
    signer = SigV4Auth(pair.credentials, SERVICE, REGION)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    if not hmac.compare_digest(signer.signature(text, again), given["signature"]):
        raise _mismatch()


def _authorization(header: str | None) -> re.Match[str]:
    if header is None:
        raise refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
    if header.startswith("Bearer "):
        # This account has no Bedrock API key. Unverified: the answer to a wrong one.
        raise refuse("AccessDeniedException", "Authentication failed: the API key is not valid.")
    given = _AUTHORIZATION.fullmatch(header)
    if given is None:
        raise refuse("InvalidSignatureException", "The Authorization header is malformed.")
    return given


def _check_time(stamp: str) -> None:
    try:
        made = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refuse("InvalidSignatureException", "X-Amz-Date is missing or malformed.") from None
    if abs(datetime.now(UTC) - made) > SKEW:
        raise refuse("InvalidSignatureException", f"Signature expired: {stamp}")


def _check_scope(scope: list[str], stamp: str, headers: Mapping[str, str]) -> KeyPair:
    """The key pair that the scope names, if the session token is correct."""
    if len(scope) != 5 or scope[1] != stamp[:8] or scope[4] != "aws4_request":
        raise refuse("InvalidSignatureException", "The Credential is malformed.")
    pair = KEY_PAIRS.get(scope[0])
    fault = pair.token_fault(headers.get("x-amz-security-token")) if pair else "wrong"
    if pair is None or fault is not None:
        raise refuse(*TOKEN_REFUSALS[fault or "wrong"])
    if scope[2] != REGION:
        message = f"Credential should be scoped to a valid region, not '{scope[2]}'."
        raise refuse("InvalidSignatureException", message)
    if scope[3] != SERVICE:
        message = f"Credential should be scoped to correct service: '{SERVICE}'."
        raise refuse("InvalidSignatureException", message)
    return pair


def _only_signed(request: Signed, signed: str) -> dict[str, str]:
    """The signed headers; every header that Bedrock uses must be signed."""
    names = set(signed.split(";"))
    acted_on = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    acted_on |= SIGNED_IF_GIVEN & request.headers.keys()
    if not acted_on <= names <= request.headers.keys():
        raise refuse("InvalidSignatureException", "A header that must be signed is not.")
    return {name: request.headers[name] for name in names}


def _mismatch() -> Refusal:
    return refuse(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    )
