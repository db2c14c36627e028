"""How errors of AWS become errors of the state store."""

from collections.abc import Mapping
from functools import partial

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    ProfileNotFound,
)
from yarl import URL

from providers.aws.client import AwsClient
from providers.errors import FerryError
from providers.state import State, StateError
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.bounded_state import BoundedState
from proxy.state_bucket import BucketAddress, BucketState
from tests.buckets import aws_environment
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_gemini.scripted_upstream import Answer, Failure, ScriptedUpstream


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("proxy.state_bucket.AwsClient", partial(AwsClient, retries=AT_ONCE))


def bucket(*script: Answer | Failure) -> State:
    address = BucketAddress("bucket", "prefix/", URL("https://the-secret-host.test"))
    return BoundedState(BucketState(address, ScriptedUpstream(*script)))


async def failed(state: State) -> FerryError:
    with pytest.raises(StateError) as caught:
        await state.delete("a")
    assert "secret" not in caught.value.message
    assert caught.value.provider is None
    return caught.value


def refusal(http: int, code: str, headers: Mapping[str, str] | None = None) -> Answer:
    message = "the-secret was signed"
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Answer(http, headers or {}, body)


@pytest.mark.parametrize(
    ("http", "code"),
    [
        (503, "SlowDown"),
        (400, "RequestTimeout"),
        (409, "OperationAborted"),
        (429, "TooManyRequests"),
        (408, "x"),
        (500, "InternalError"),
    ],
)
async def test_a_temporary_refusal_can_be_retried(http: int, code: str) -> None:
    error = await failed(bucket(*[refusal(http, code)] * 3))
    assert error.status == Status.UNAVAILABLE
    assert error.message == f"the proxy's state store failed: the state store refused: {code}"


@pytest.mark.parametrize(
    ("http", "code"),
    [
        (403, "AccessDenied"),
        (404, "NoSuchBucket"),
        (403, "RequestTimeTooSkewed"),
        (400, "ExpiredToken"),
        (501, "NotImplemented"),
        (301, "PermanentRedirect"),
        (307, "TemporaryRedirect"),
    ],
)
async def test_a_permanent_refusal_is_not_retried(http: int, code: str) -> None:
    error = await failed(bucket(refusal(http, code)))
    assert error.status == Status.FAILED_PRECONDITION
    assert f"the state store refused: {code};" in error.message


async def test_a_redirect_of_another_server_lasts() -> None:
    error = await failed(bucket(*[Answer(302)] * 3))
    assert error.status == Status.FAILED_PRECONDITION
    assert "the state store refused: 302;" in error.message


async def test_an_invalid_code_is_not_shown() -> None:
    error = await failed(bucket(refusal(403, "the-secret code")))
    assert "the state store refused: 403;" in error.message


async def test_a_bucket_that_went_silent_can_be_tried_again() -> None:
    silent = Failure(UpstreamError(Status.UNAVAILABLE, "went silent"))
    assert (await failed(bucket(silent, silent, silent))).status == Status.UNAVAILABLE


# --- AWS's credential chain ------------------------------------------------------------------


def refusal_of_sts(http: int, code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "the-secret"},
            "ResponseMetadata": {
                "HTTPStatusCode": http,
                "HTTPHeaders": {},
                "HostId": "",
                "RequestId": "",
                "RetryAttempts": 0,
            },
        },
        "AssumeRole",
    )


async def without_keys(error: Exception, monkeypatch: pytest.MonkeyPatch) -> FerryError:
    async def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("aiobotocore.session.AioSession.get_credentials", fail)
    return await failed(bucket())


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="container-role", error_msg="the-secret"),
        MetadataRetrievalError(error_msg="the-secret"),
        RuntimeError("Credentials were refreshed, but are still expired: the-secret"),
        refusal_of_sts(400, "Throttling"),
        refusal_of_sts(400, "RequestTimeout"),
        refusal_of_sts(400, "IDPCommunicationError"),
        refusal_of_sts(503, "ServiceUnavailable"),
        OSError("the-secret"),
    ],
    ids=lambda error: str(error)[:40],
)
async def test_keys_that_cannot_be_fetched_now_can_be_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await without_keys(error, monkeypatch)).status == Status.UNAVAILABLE


@pytest.mark.parametrize(
    "error", [ProfileNotFound(profile="the-secret"), refusal_of_sts(403, "AccessDenied")]
)
async def test_keys_that_do_not_exist_are_not_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await without_keys(error, monkeypatch)).status == Status.FAILED_PRECONDITION


async def test_a_chain_without_keys_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    error = await failed(bucket())
    assert error.status == Status.FAILED_PRECONDITION
    assert "AWS's credential chain" in error.message


async def test_the_time_after_which_the_bucket_may_be_asked_again_is_kept() -> None:
    error = await failed(bucket(refusal(503, "SlowDown", {"Retry-After": "70"})))
    assert error.retry_after == "70"
