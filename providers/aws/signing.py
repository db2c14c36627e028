"""SigV4 signatures for requests that we build; botocore computes them (bedrock.md section 5).

Importing botocore takes a fifth of the start, so the first signature imports it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from yarl import URL

from providers.aws.keys import AwsKeys
from providers.upstream import OutboundRequest

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

S3: Final = "s3"
BEDROCK: Final = "bedrock"
"""Control plane and runtime use the same service name (bedrock.md section 1)."""

# S3 checks this when a request begins, however long the request takes. It is as long as the clock
# skew that S3 allows.
_PRESIGNED_SECONDS: Final = 15 * 60
_UNRESERVED: Final = "-_.~"
_TIMESTAMP: Final = "%Y%m%dT%H%M%SZ"


def encode_key(text: str) -> str:
    """Encode for a path; slashes are kept."""
    return quote(text, safe=f"/{_UNRESERVED}")


def encode_segment(text: str) -> str:
    """Encode for one segment of a path, or for a query."""
    return quote(text, safe=_UNRESERVED)


def aws_url(base: URL, path: str, query: Mapping[str, str] | None = None) -> URL:
    """`path` (encoded) and `query` (not yet encoded) below `base`, spelled as they are signed."""
    pairs = "&".join(
        f"{encode_segment(name)}={encode_segment(value)}"
        for name, value in sorted((query or {}).items())
    )
    full_path = base.raw_path.rstrip("/") + path
    return URL(f"{base.origin()}{full_path}{f'?{pairs}' if pairs else ''}", encoded=True)


def signed(
    request: OutboundRequest, keys: AwsKeys, service: str, region: str, at: datetime | None = None
) -> OutboundRequest:
    """`request`, whose body is in memory, with its signature in headers, made at the time `at`."""
    from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    algorithm = S3SigV4Auth if service == S3 else SigV4Auth
    unsigned = AWSRequest(
        request.method, str(request.url), dict(request.headers), data=request.body or b""
    )
    _sign_at(unsigned, at)
    algorithm(_credentials(keys), service, region).add_auth(unsigned)
    return replace(request, headers=dict(unsigned.headers.items()))


def presigned(
    request: OutboundRequest, keys: AwsKeys, region: str, at: datetime | None = None
) -> OutboundRequest:
    """`request` to S3 with its signature in the URL, which does not cover the body.

    The URL is then a secret.
    """
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    unsigned = AWSRequest(request.method, str(request.url), dict(request.headers))
    _sign_at(unsigned, at)
    signer = S3SigV4QueryAuth(_credentials(keys), S3, region, expires=_PRESIGNED_SECONDS)
    signer.add_auth(unsigned)
    return replace(request, url=URL(str(unsigned.url), encoded=True))


class _FixedTime(dict[str, Any]):
    """What botocore knows of a request. It writes this machine's time, which may be wrong."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "timestamp":
            super().__setitem__(name, value)


def _sign_at(request: "AWSRequest", at: datetime | None) -> None:
    if at is not None:
        request.context = _FixedTime(timestamp=at.strftime(_TIMESTAMP))


def _credentials(keys: AwsKeys) -> "Credentials":
    from botocore.credentials import Credentials  # noqa: PLC0415

    return Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
