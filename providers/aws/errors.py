"""Refusals of S3 (XML) and Bedrock (JSON) as our errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from providers.errors import CredentialRefused, FerryError
from providers.json_api.json_text import parse_object
from providers.limits import XML_BYTES, XML_DEPTH, XML_ELEMENTS
from providers.retry_after import retry_after_of
from providers.status import Status, explain_status, status_of_refusal
from providers.upstream import Reply

# bedrock.md sections 2 and 5, translation.md section 6. Other codes go by their HTTP status.
_STATUS_OF_CODE: Final[Mapping[str, Status]] = {
    code: status
    for status, codes in {
        Status.UNAUTHENTICATED: (
            "UnrecognizedClientException InvalidSignatureException SignatureDoesNotMatch "
            "ExpiredTokenException ExpiredToken InvalidAccessKeyId InvalidToken "
            "InvalidClientTokenId IncompleteSignature MissingAuthenticationToken "
            "MissingAuthenticationTokenException RequestTimeTooSkewed TokenRefreshRequired"
        ),
        Status.RESOURCE_EXHAUSTED: (
            "ThrottlingException Throttling TooManyRequestsException RequestLimitExceeded "
            "SlowDown ServiceQuotaExceededException"
        ),
        Status.ABORTED: "ConflictException OperationAborted",
        Status.UNAVAILABLE: "RequestTimeout ModelNotReadyException ModelTimeoutException",
        Status.INVALID_ARGUMENT: (
            "PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed "
            "AuthorizationQueryParametersError IllegalLocationConstraintException"
        ),
        Status.UNIMPLEMENTED: "MethodNotAllowed NotImplemented",
    }.items()
    for code in codes.split()
}
# The others in the first row above can have reasons other than an invalid credential.
_CREDENTIAL_REFUSED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_WRONG_REGION: Final = (
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "AuthorizationQueryParametersError",  # Unverified: S3's code for a presigned URL
)
_NO_BUCKET: Final = "NoSuchBucket"
# For errors that arrive with the status 200: elsewhere the HTTP status says this.
_STATUS_WITHOUT_HTTP: Final[Mapping[str, Status]] = {
    "AccessDenied": Status.PERMISSION_DENIED,
    "NoSuchKey": Status.NOT_FOUND,
    "NoSuchUpload": Status.NOT_FOUND,
    _NO_BUCKET: Status.NOT_FOUND,
    "InvalidPart": Status.INVALID_ARGUMENT,
    "EntityTooSmall": Status.INVALID_ARGUMENT,
}


@dataclass(frozen=True, slots=True)
class AwsRefusal:
    """What an AWS service answered. `code` is its error type, empty if it gave none."""

    code: str
    message: str


class MissingBucket(FerryError):
    """A 404 that is no `NotFound`: the setting is wrong, and the object may exist elsewhere."""


def refused(
    name: str, reply: Reply, data: bytes, region: str, secrets: Sequence[str]
) -> FerryError:
    """The error for a refusal with the body `data` of the upstream called `name`.

    The call went to `region`; `secrets` are removed from the message.
    """
    refusal = _read(reply, data)
    text = redact(secrets, _explain(refusal, reply, region))
    headers = reply.headers
    request_id = headers.get("x-amzn-requestid") or headers.get("x-amz-request-id") or ""
    status = _status(refusal, reply)
    if status == Status.UNIMPLEMENTED:
        text = f"this upstream does not serve the call: {text}"
    return _class_of(refusal)(
        status,
        f"{name}: {text}",
        provider=name,
        reason=redact(secrets, refusal.code) or None,
        request_id=redact(secrets, request_id) or None,
        upstream_status=reply.status,
        retry_after=retry_after_of(headers),
    )


def error_despite_success(name: str, root: Any, secrets: Sequence[str]) -> FerryError:
    """The error for an `<Error>` with the status 200; most of these calls can be retried."""
    refusal = _refusal_in(root)
    status = _STATUS_OF_CODE.get(refusal.code) or _STATUS_WITHOUT_HTTP.get(
        refusal.code, Status.UNAVAILABLE
    )
    text = redact(secrets, f"{name}: {refusal.code}: {refusal.message}")
    reason = redact(secrets, refusal.code) or None
    return _class_of(refusal)(status, text, provider=name, reason=reason)


def _class_of(refusal: AwsRefusal) -> type[FerryError]:
    if refusal.code in _CREDENTIAL_REFUSED:
        return CredentialRefused
    return MissingBucket if refusal.code == _NO_BUCKET else FerryError


class _TooMuch(Exception):
    """An XML document over a limit."""


class _BoundedBuilder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attributes: Any, /) -> Any:
        self._depth += 1
        self._elements += 1
        if self._depth > XML_DEPTH or self._elements > XML_ELEMENTS:
            raise _TooMuch
        return super().start(tag, attributes)

    def end(self, tag: Any, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def parse_xml(data: bytes) -> Any:
    """The root of an XML document from S3, without namespaces. Raises ValueError.

    A document type declaration is refused: S3 sends none, and it can declare entities.
    Parsing stops at the first element over a limit.
    """
    parser = XMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    try:
        if len(data) > XML_BYTES:
            raise _TooMuch
        parser.feed(data.lstrip())
        root = parser.close()
    except (ParseError, DefusedXmlException, _TooMuch) as error:
        raise ValueError("not the XML of S3") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def _read(reply: Reply, data: bytes) -> AwsRefusal:
    if data.lstrip().startswith(b"<"):
        return _read_xml(data)
    document = parse_object(data) or {}
    told = reply.headers.get("x-amzn-errortype") or str(document.get("__type") or "")
    # `ValidationException:http://internal.amazon.com/...`, `com.amazon.coral#ValidationException`
    code = told.partition(":")[0].rpartition("#")[2]
    return AwsRefusal(code, str(document.get("message") or document.get("Message") or ""))


def _read_xml(data: bytes) -> AwsRefusal:
    try:
        return _refusal_in(parse_xml(data))
    except ValueError:
        return AwsRefusal("", "")


def _refusal_in(root: Any) -> AwsRefusal:
    message, bucket = root.findtext("Message") or "", root.findtext("BucketName")
    named = f"{message} ({bucket})" if bucket else message
    return AwsRefusal(root.findtext("Code") or "", named)


def redact(secrets: Sequence[str], text: str) -> str:
    """`text` without the secrets of the keys that signed the call."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _explain(refusal: AwsRefusal, reply: Reply, region: str) -> str:
    text = refusal.message or f"HTTP status {reply.status}"
    of_the_bucket = reply.headers.get("x-amz-bucket-region") or region
    if of_the_bucket != region or refusal.code in _WRONG_REGION:
        told = f" ({of_the_bucket}, not {region})" if of_the_bucket != region else ""
        return f"the bucket is in another region{told}: {text}"
    if _is_foreign_redirect(reply) and not refusal.message:
        text = explain_status(reply.status)
    return f"{refusal.code}: {text}" if refusal.code else text


def _status(refusal: AwsRefusal, reply: Reply) -> Status:
    named = _STATUS_OF_CODE.get(refusal.code)
    if named is not None:
        return named
    if _is_foreign_redirect(reply):
        return Status.UNAVAILABLE
    return Status.INVALID_ARGUMENT if reply.status < 400 else status_of_refusal(reply.status)


def _is_foreign_redirect(reply: Reply) -> bool:
    """Whether this redirect is not S3's to the region of a bucket: AWS sends no other."""
    return 300 <= reply.status < 400 and "x-amz-bucket-region" not in reply.headers
