"""SigV4 as S3 checks it, in a header or in a presigned URL: sign again, and compare."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from yarl import URL

from ..aws_keys import KEY_PAIRS, REGION, KeyPair, TokenFault
from .refusals import S3Refusal, WrongRegion

SKEW = timedelta(minutes=15)
LONGEST = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
TOKEN_REFUSALS: dict[TokenFault, tuple[int, str]] = {
    # A temporary key is not valid without its token.
    "missing": (403, "InvalidAccessKeyId"),
    "expired": (400, "ExpiredToken"),
    "wrong": (400, "InvalidToken"),
}

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+), ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signed:
    """A request as it came. `headers` by names in lower case."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes


def is_presigned(url: URL) -> bool:
    return "X-Amz-Signature" in url.query


def without_signature(url: URL) -> URL:
    """The request without what presigning added."""
    pairs = url.raw_query_string.split("&")
    kept = [pair for pair in pairs if pair and not pair.startswith("X-Amz-")]
    return URL(
        f"{url.origin()}{url.raw_path}" + (f"?{'&'.join(kept)}" if kept else ""), encoded=True
    )


def check_signature(request: Signed) -> None:
    """Check the signature against the known key pairs; raises S3Refusal."""
    if is_presigned(request.url):
        _check_presigned(request)
    else:
        _check_header(request)


def _check_presigned(request: Signed) -> None:
    query = request.url.query
    try:
        expires, made = int(query["X-Amz-Expires"]), _time(query["X-Amz-Date"])
        scope, signed = query["X-Amz-Credential"].split("/"), query["X-Amz-SignedHeaders"]
    except (KeyError, ValueError):
        raise S3Refusal(400, "AuthorizationQueryParametersError") from None
    now = datetime.now(UTC)
    if not 0 < expires <= LONGEST or made > now + SKEW or now > made + timedelta(seconds=expires):
        raise S3Refusal(403, "AccessDenied")
    if len(scope) == 5 and scope[2] != REGION:
        where = "Error parsing the X-Amz-Credential parameter"
        raise WrongRegion("AuthorizationQueryParametersError", where, scope[2])
    pairs = request.url.raw_query_string.split("&")
    unsigned = "&".join(pair for pair in pairs if not pair.startswith("X-Amz-Signature="))
    url = f"{request.url.origin()}{request.url.raw_path}?{unsigned}"
    again = AWSRequest(request.method, url, _only(request, signed))
    again.context["timestamp"] = query["X-Amz-Date"]
    pair = _pair(scope, query.get("X-Amz-Security-Token"))
    _compare(S3SigV4QueryAuth, again, pair, query["X-Amz-Signature"])


def _check_header(request: Signed) -> None:
    given = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if given is None:
        raise S3Refusal(403, "AccessDenied")
    stamp = request.headers.get("x-amz-date", "")
    if not stamp or abs(datetime.now(UTC) - _time(stamp)) > SKEW:
        raise S3Refusal(403, "RequestTimeTooSkewed")
    digest = request.headers.get("x-amz-content-sha256", "")
    if digest not in (UNSIGNED, hashlib.sha256(request.body).hexdigest()):
        raise S3Refusal(400, "XAmzContentSHA256Mismatch")
    again = AWSRequest(request.method, str(request.url), _only(request, given["signed"]))
    again.context["timestamp"] = stamp
    scope = given["credential"].split("/")
    if len(scope) == 5 and scope[2] != REGION:
        where = "The authorization header is malformed"
        raise WrongRegion("AuthorizationHeaderMalformed", where, scope[2])
    pair = _pair(scope, request.headers.get("x-amz-security-token"))
    _compare(S3SigV4Auth, again, pair, given["signature"])


def _only(request: Signed, signed: str) -> dict[str, str]:
    """The signed headers; every header that S3 acts on must be signed."""
    names = set(signed.split(";"))
    acted_on = {name for name in request.headers if name.startswith("x-amz-")} | {"host"}
    if not names >= acted_on or not names <= request.headers.keys():
        raise S3Refusal(403, "AccessDenied")
    return {name: request.headers[name] for name in names}


def _pair(scope: list[str], token: str | None) -> KeyPair:
    """The key pair named in the scope of a signature, if `token` is its session token."""
    if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"]:
        raise S3Refusal(400, "AuthorizationHeaderMalformed")
    pair = KEY_PAIRS.get(scope[0])
    if pair is None:
        raise S3Refusal(403, "InvalidAccessKeyId")
    fault = pair.token_fault(token)
    if fault is not None:
        raise S3Refusal(*TOKEN_REFUSALS[fault])
    return pair


def _compare(
    algorithm: type[S3SigV4Auth | S3SigV4QueryAuth], again: AWSRequest, pair: KeyPair, given: str
) -> None:
    signer = algorithm(pair.credentials, "s3", REGION)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    if not hmac.compare_digest(signer.signature(text, again), given):
        raise S3Refusal(403, "SignatureDoesNotMatch")


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
