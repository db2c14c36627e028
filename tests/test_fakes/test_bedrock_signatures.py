"""The fake Bedrock accepts only what is signed as AWS requires."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.fakes.bedrock import EXPIRED_SESSION_TOKEN, LONG_TERM, TEMPORARY, KeyPair

from .fake_bedrock_client import FakeBedrockClient

LIST = "/model-invocation-jobs"
STRANGER = KeyPair("AKIASTRANGER", "x")
WRONG_SECRET = replace(LONG_TERM, secret_access_key="x")


@pytest.mark.parametrize("pair", [LONG_TERM, TEMPORARY], ids=["long-term", "temporary"])
def test_each_key_pair_is_accepted_and_sees_the_same_jobs(
    bedrock: FakeBedrockClient, pair: KeyPair
) -> None:
    job = bedrock.create()
    client = bedrock.client("bedrock", pair)
    assert client.get_model_invocation_job(jobIdentifier=job)["status"] == "Validating"


@pytest.mark.parametrize(
    ("pair", "error"),
    [
        (STRANGER, "UnrecognizedClientException"),
        (WRONG_SECRET, "InvalidSignatureException"),
        (replace(LONG_TERM, session_token="a"), "UnrecognizedClientException"),
        (replace(TEMPORARY, session_token=None), "UnrecognizedClientException"),
        (replace(TEMPORARY, session_token="a"), "UnrecognizedClientException"),
        (replace(TEMPORARY, session_token=EXPIRED_SESSION_TOKEN), "ExpiredTokenException"),
    ],
    ids=["stranger", "wrong secret", "token too many", "no token", "wrong token", "expired"],
)
def test_other_keys_and_tokens_are_refused(
    bedrock: FakeBedrockClient, pair: KeyPair, error: str
) -> None:
    answer = bedrock.send("GET", LIST, pair=pair)
    assert (answer.status, answer.error) == (403, error)
    assert answer.document["message"]
    assert answer.headers["x-amzn-errortype"].startswith(f"{error}:http://")
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"Authorization": "Bearer ABSKx"}, "AccessDeniedException"),
        ({"Authorization": "AWS4-HMAC-SHA256 x"}, "InvalidSignatureException"),
    ],
)
def test_an_unsigned_request_is_refused(
    bedrock: FakeBedrockClient, headers: Mapping[str, str], error: str
) -> None:
    answer = bedrock.send_unchanged("GET", LIST, b"", headers)
    assert (answer.status, answer.error) == (403, error)


def test_another_region_or_service_is_refused(bedrock: FakeBedrockClient) -> None:
    assert bedrock.send("GET", LIST, region="eu-west-1").error == "InvalidSignatureException"
    assert bedrock.send("GET", LIST, service="bedrock-runtime").error == "InvalidSignatureException"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_date_far_from_now_is_refused(
    bedrock: FakeBedrockClient, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    off = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: off)
    assert bedrock.send("GET", LIST).error == "InvalidSignatureException"


def _signed(url: str, body: bytes = b"") -> dict[str, str]:
    request = AWSRequest("GET", url, {}, data=body)
    SigV4Auth(LONG_TERM.credentials, "bedrock", "us-east-1").add_auth(request)
    return dict(request.headers)


@pytest.mark.parametrize(
    ("path", "body", "more"),
    [
        (f"{LIST}?maxResults=2", b"", {}),
        (LIST, b"x", {}),
        (LIST, b"", {"x-amz-more": "x"}),
        (LIST, b"", {"Content-Type": "application/json"}),
    ],
    ids=["query", "body", "AWS's header", "content type"],
)
def test_a_request_that_differs_from_what_was_signed_is_refused(
    bedrock: FakeBedrockClient, path: str, body: bytes, more: Mapping[str, str]
) -> None:
    headers = _signed(bedrock.url + LIST)
    assert bedrock.send_unchanged("GET", LIST, b"", headers).status == 200
    answer = bedrock.send_unchanged("GET", path, body, {**headers, **more})
    assert answer.error == "InvalidSignatureException"


def test_a_declared_hash_must_be_that_of_the_body(bedrock: FakeBedrockClient) -> None:
    declared = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert bedrock.send("GET", LIST, headers=declared).error == "InvalidSignatureException"


@pytest.mark.parametrize("name", ["x-goog-api-key", "x-ferry-x", "x-model-provider", "x-api-key"])
def test_a_header_that_aws_does_not_know_is_refused(bedrock: FakeBedrockClient, name: str) -> None:
    answer = bedrock.send("GET", LIST, headers={name: "x"})
    assert (answer.error, name in answer.document["message"]) == ("ValidationException", True)


def test_the_log_names_the_signer_and_no_secret(bedrock: FakeBedrockClient) -> None:
    bedrock.client("bedrock", TEMPORARY).list_model_invocation_jobs()
    bedrock.bedrock.list_model_invocation_jobs()
    requests = bedrock.control("requests", path=LIST)["requests"]
    assert len({request["credential_sha256"] for request in requests}) == 2
    assert str(TEMPORARY.session_token) not in str(requests)


def test_an_unknown_operation_is_refused(bedrock: FakeBedrockClient) -> None:
    answer = bedrock.send("GET", "/model-invocation-job-definitions")
    assert (answer.status, answer.error) == (404, "UnknownOperationException")
