import pytest

from providers.aws.errors import error_despite_success, parse_xml, refused
from providers.aws.keys import AwsKeys
from providers.errors import CredentialRefused, FerryError, NotFound
from providers.status import Status
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedReply


def xml(code: str, message: str = "Said so.") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def error(
    body: bytes, status: int, *secrets: str, headers: dict[str, str] | None = None
) -> FerryError:
    reply = ScriptedReply(Answer(status, headers or {}, body))
    return refused("my-bedrock", reply, body, "eu-west-1", secrets)


@pytest.mark.parametrize(
    ("code", "http", "status"),
    [
        ("ValidationException", 400, Status.INVALID_ARGUMENT),
        ("ConflictException", 400, Status.ABORTED),
        ("ServiceQuotaExceededException", 400, Status.RESOURCE_EXHAUSTED),
        ("AccessDeniedException", 403, Status.PERMISSION_DENIED),
        ("UnrecognizedClientException", 403, Status.UNAUTHENTICATED),
        ("InvalidSignatureException", 403, Status.UNAUTHENTICATED),
        ("ExpiredTokenException", 403, Status.UNAUTHENTICATED),
        ("ResourceNotFoundException", 404, Status.NOT_FOUND),
        ("ThrottlingException", 429, Status.RESOURCE_EXHAUSTED),
        ("ModelErrorException", 424, Status.INVALID_ARGUMENT),
        ("InternalServerException", 500, Status.UNAVAILABLE),
        ("ServiceUnavailableException", 503, Status.UNAVAILABLE),
    ],
)
def test_bedrocks_errors_are_identified_by_their_type(code: str, http: int, status: Status) -> None:
    body = b'{"message": "Said so."}'
    headers = {"x-amzn-ErrorType": f"{code}:http://internal.test/", "x-amzn-RequestId": "id-1"}
    found = error(body, http, headers=headers)
    assert (found.status, found.reason, found.request_id) == (status, code, "id-1")
    assert found.message == f"my-bedrock: {code}: Said so."
    assert (found.provider, found.upstream_status) == ("my-bedrock", http)


def test_the_type_may_be_in_the_body() -> None:
    found = error(b'{"__type": "com.test#ThrottlingException", "Message": "slow"}', 400)
    assert (found.status, found.reason) == (Status.RESOURCE_EXHAUSTED, "ThrottlingException")
    assert "slow" in found.message


@pytest.mark.parametrize(
    ("code", "http", "status"),
    [
        ("NoSuchKey", 404, Status.NOT_FOUND),
        ("NoSuchBucket", 404, Status.NOT_FOUND),
        ("AccessDenied", 403, Status.PERMISSION_DENIED),
        ("SignatureDoesNotMatch", 403, Status.UNAUTHENTICATED),
        ("InvalidAccessKeyId", 403, Status.UNAUTHENTICATED),
        ("ExpiredToken", 400, Status.UNAUTHENTICATED),
        ("RequestTimeTooSkewed", 403, Status.UNAUTHENTICATED),
        ("EntityTooSmall", 400, Status.INVALID_ARGUMENT),
        ("RequestTimeout", 400, Status.UNAVAILABLE),
        ("SlowDown", 503, Status.RESOURCE_EXHAUSTED),
        ("InternalError", 500, Status.UNAVAILABLE),
        ("PreconditionFailed", 412, Status.INVALID_ARGUMENT),
    ],
)
def test_s3s_errors_are_identified_by_their_code(code: str, http: int, status: Status) -> None:
    found = error(xml(code), http, headers={"x-amz-request-id": "id-2"})
    assert (found.status, found.reason, found.request_id) == (status, code, "id-2")
    assert found.message == f"my-bedrock: {code}: Said so."


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("InvalidAccessKeyId", True),
        ("SignatureDoesNotMatch", True),
        ("ExpiredToken", True),
        ("InvalidToken", True),
        ("UnrecognizedClientException", True),
        ("InvalidSignatureException", True),
        ("ExpiredTokenException", True),
        ("AccessDenied", False),
        ("AccessDeniedException", False),
        ("RequestTimeTooSkewed", False),
        ("MissingAuthenticationToken", False),
        ("NoSuchBucket", False),
        ("SlowDown", False),
    ],
)
def test_an_invalid_credential_differs_from_a_missing_permission(
    code: str, *, refused: bool
) -> None:
    assert isinstance(error(xml(code), 403), CredentialRefused) is refused


def test_a_missing_bucket_is_named() -> None:
    body = xml("NoSuchBucket").replace(b"</Error>", b"<BucketName>b-1</BucketName></Error>")
    assert error(body, 404).message == "my-bedrock: NoSuchBucket: Said so. (b-1)"


def test_only_a_missing_resource_is_not_found() -> None:
    assert isinstance(error(xml("NoSuchKey"), 404), NotFound)
    assert isinstance(error(b"", 404), NotFound), "S3 says no more to a HEAD"
    assert not isinstance(error(xml("NoSuchBucket"), 404), NotFound), "that is a wrong setting"
    assert not isinstance(error(xml("AccessDenied"), 403), NotFound)


@pytest.mark.parametrize(
    ("http", "body"),
    [
        (301, xml("PermanentRedirect")),
        (400, xml("AuthorizationHeaderMalformed")),
        (400, xml("AuthorizationQueryParametersError")),
        (301, b""),
        (400, b""),
    ],
)
def test_a_bucket_in_another_region_is_recognisable(http: int, body: bytes) -> None:
    found = error(body, http, headers={"x-amz-bucket-region": "eu-north-1"})
    assert found.status == Status.INVALID_ARGUMENT
    assert "the bucket is in another region (eu-north-1, not eu-west-1)" in found.message


def test_the_region_of_a_bucket_matters_only_if_it_differs() -> None:
    headers = {"x-amz-bucket-region": "eu-west-1"}
    assert error(xml("AccessDenied"), 403, headers=headers).message.endswith(
        "AccessDenied: Said so."
    )
    assert "in another region: " in error(xml("PermanentRedirect"), 301).message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b"<Error><Code>",
        b'<!DOCTYPE e [<!ENTITY x "y">]><Error><Code>&x;</Code></Error>',
    ],
)
def test_an_unreadable_refusal_is_identified_by_its_status(body: bytes) -> None:
    found = error(body, 403)
    assert (found.status, found.reason) == (Status.PERMISSION_DENIED, None)
    assert found.message == "my-bedrock: HTTP status 403"


def test_a_redirect_without_a_usable_address_is_the_upstreams_fault() -> None:
    found = error(b"", 302)
    assert found.status == Status.UNAVAILABLE
    assert found.message == (
        "my-bedrock: HTTP status 302, a redirect, which is not followed: check the BASE_URL"
    )


def test_xml_may_begin_with_white_space() -> None:
    assert error(b'\n <?xml version="1.0"?>' + xml("AccessDenied"), 403).reason == "AccessDenied"


def test_a_gateways_timeout_stays_one() -> None:
    assert error(b"", 504).status == Status.DEADLINE_EXCEEDED
    assert error(b"", 503).status == Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("http", "body"),
    [(405, b""), (405, xml("MethodNotAllowed")), (501, b""), (501, xml("NotImplemented"))],
)
def test_a_call_that_the_upstream_does_not_serve(http: int, body: bytes) -> None:
    found = error(body, http)
    assert (found.status, found.code, found.permanent) == (Status.UNIMPLEMENTED, 501, True)
    assert found.message.startswith("my-bedrock: this upstream does not serve the call: ")


def test_the_signing_key_is_not_shown() -> None:
    """AWS may quote the request, with the session token."""
    body = b'{"message": "The Canonical String should have been: the-token the-id"}'
    echo = {"x-amzn-requestid": "of the-id", "x-amzn-errortype": "E-the-token:http://x.test/"}
    found = error(body, 403, "the-secret", "the-id", "the-token", headers=echo)
    assert (found.request_id, found.reason) == ("of ***", "E-***")
    assert "the-" not in found.message
    assert found.message.endswith("should have been: *** ***")


def test_every_look_at_the_keys_finds_their_secrets() -> None:
    """An error has several texts, and each of them is searched."""
    secrets = AwsKeys("the-id", "the-secret", "the-token").secrets()
    reply = ScriptedReply(Answer(403, {"x-amzn-requestid": "of the-token"}, b""))
    found = refused("my-bedrock", reply, b'{"message": "the-id"}', "eu-west-1", secrets)
    assert (found.message, found.request_id) == ("my-bedrock: ***", "of ***")


def test_an_error_with_the_status_of_success_quotes_no_key() -> None:
    found = error_despite_success("my-bedrock", parse_xml(xml("E-the-id", "the-id")), ["the-id"])
    assert (found.message, found.reason) == ("my-bedrock: E-***: ***", "E-***")


def test_xml_is_read_without_its_namespace() -> None:
    root = parse_xml(b'<?xml version="1.0"?><A xmlns="http://s3.test/"><B>text</B></A>')
    assert (root.tag, root.findtext("B")) == ("A", "text")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<A>",
        b"<!DOCTYPE A><A/>",
        b'<!DOCTYPE A [<!ENTITY b SYSTEM "file:///etc/passwd">]><A>&b;</A>',
    ],
)
def test_invalid_xml_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="not the XML of S3"):
        parse_xml(document)
