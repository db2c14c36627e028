"""The caller's AWS keys: their form, AWS's errors for wrong ones, and that they never leak."""

import pytest

from providers.credential import Caller, Credential
from providers.errors import CredentialRefused, unavailable
from providers.status import Status
from tests.contract.bedrock_batching import TEXTS, ended, items
from tests.contract.bedrock_with_fake import (
    CALLER,
    JOB,
    PREFIX,
    BedrockWithFake,
    inline,
    refused,
    the_own_keys,
)
from tests.fakes.bedrock import EXPIRED_SESSION_TOKEN, LONG_TERM, TEMPORARY

OF_LONG_TERM = f"{LONG_TERM.access_key_id}:{LONG_TERM.secret_access_key}"
OF_TEMPORARY = f"{TEMPORARY.access_key_id}:{TEMPORARY.secret_access_key}"
MALFORMED = [
    "",
    "sk-another-providers-key",
    LONG_TERM.access_key_id,
    f"{LONG_TERM.access_key_id}:",
    f":{LONG_TERM.secret_access_key}",
    f"{OF_LONG_TERM}:",
    f"{OF_TEMPORARY}:{TEMPORARY.session_token}:more",
    f"{OF_LONG_TERM} ",
    f"{OF_LONG_TERM}\n",
    f"Ä{OF_LONG_TERM}",
]
BEDROCK_API_KEYS = [
    "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249",
    "ABSKQmVkcm9ja0FQSUtleS0x",
]


def caller(api_key: str) -> Caller:
    return Caller(Credential(api_key=api_key), "tenant")


@pytest.mark.parametrize("api_key", MALFORMED)
async def test_a_malformed_key_is_refused_before_any_call(
    bedrock: BedrockWithFake, api_key: str
) -> None:
    for attempt in (
        bedrock.files.list(caller(api_key), 10, None),
        bedrock.batches.list(caller(api_key), 10, None),
        bedrock.batches.create(caller(api_key), inline(*TEXTS)),
    ):
        error = await refused(attempt)
        assert (error.status, error.code) == (Status.UNAUTHENTICATED, 401)
        assert "ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]" in error.message
    assert await bedrock.requests("GET") == []


@pytest.mark.parametrize("api_key", BEDROCK_API_KEYS)
async def test_the_error_for_a_bedrock_api_key_says_what_it_is(
    bedrock: BedrockWithFake, api_key: str
) -> None:
    error = await refused(bedrock.batches.list(caller(api_key), 10, None))
    assert (error.status, error.code) == (Status.UNAUTHENTICATED, 401)
    assert "cannot reach S3" in error.message
    assert api_key not in f"{error!r} {error}"
    assert await bedrock.requests("GET") == []


async def test_keys_may_be_temporary_and_sent_as_a_bearer_token(bedrock: BedrockWithFake) -> None:
    temporary = Caller(Credential(bearer=TEMPORARY.api_key), "tenant")
    created = await bedrock.batches.create(temporary, inline(*TEXTS))
    await bedrock.move(created.id, "Completed")
    assert len(await items(bedrock, created.id)) == len(TEXTS)


@pytest.mark.parametrize(
    ("api_key", "of_s3", "of_bedrock"),
    [
        (f"{LONG_TERM.access_key_id}:wrong", "SignatureDoesNotMatch", "InvalidSignatureException"),
        (
            f"AKIANOTHERE:{LONG_TERM.secret_access_key}",
            "InvalidAccessKeyId",
            "UnrecognizedClientException",
        ),
        (f"{OF_TEMPORARY}:wrong", "InvalidToken", "UnrecognizedClientException"),
        (f"{OF_TEMPORARY}:{EXPIRED_SESSION_TOKEN}", "ExpiredToken", "ExpiredTokenException"),
    ],
    ids=["secret", "id", "token", "expired"],
)
async def test_keys_that_aws_rejects(
    bedrock: BedrockWithFake, api_key: str, of_s3: str, of_bedrock: str
) -> None:
    bad = caller(api_key)
    for attempt, reason in (
        (bedrock.files.list(bad, 10, None), of_s3),
        (bedrock.files.download(bad, "a.txt"), of_s3),
        (bedrock.batches.list(bad, 10, None), of_bedrock),
        (bedrock.batches.get(bad, "abcdefghijkl"), of_bedrock),
        (bedrock.batches.create(bad, inline(*TEXTS)), of_s3),
        (bedrock.provider.upload_check(bad), of_s3),
        (bedrock.provider.batch_check(bad), of_bedrock),
    ):
        error = await refused(attempt)
        assert isinstance(error, CredentialRefused)
        assert (error.status, error.reason) == (Status.UNAUTHENTICATED, reason)
        assert reason in error.message
        assert api_key.split(":")[1] not in f"{error!r} {error} {vars(error)}"
    assert bedrock.state.objects == {}


async def test_valid_keys_are_checked_with_one_small_list(bedrock: BedrockWithFake) -> None:
    """Each check asks the service that the operation needs, and no other."""
    await bedrock.provider.upload_check(CALLER)
    await bedrock.provider.batch_check(CALLER)
    (of_s3,) = await bedrock.requests("GET", "(?!model).*")
    (of_bedrock,) = await bedrock.requests("GET", "model.*")
    assert (of_s3["query"]["max-keys"], of_s3["query"]["prefix"]) == ("1", PREFIX)
    assert of_bedrock["path"].endswith("/model-invocation-jobs")
    assert of_bedrock["query"] == {"maxResults": "1"}


async def test_keys_without_permission_to_list_are_not_refused(bedrock: BedrockWithFake) -> None:
    body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    await bedrock.strike_s3("GET", "status", status=403, body=body)
    assert not isinstance(await refused(bedrock.provider.upload_check(CALLER)), CredentialRefused)


async def test_a_refusal_that_quotes_the_keys_is_shown_without_them(
    bedrock: BedrockWithFake,
) -> None:
    quoted = f"{LONG_TERM.access_key_id} signed with {LONG_TERM.secret_access_key}"
    await bedrock.strike_s3(
        "GET",
        "status",
        status=403,
        body=f"<Error><Code>X</Code><Message>{quoted}</Message></Error>",
    )
    error = await refused(bedrock.files.list(CALLER, 10, None))
    assert (error.status, error.message) == (
        Status.PERMISSION_DENIED,
        "bedrock: X: *** signed with ***",
    )
    await bedrock.strike("GET", f"{JOB}s", "status", status=403, body={"message": quoted})
    error = await refused(bedrock.batches.list(CALLER, 10, None))
    assert error.message.endswith("*** signed with ***")


async def test_a_refusal_has_the_request_id_of_aws(bedrock: BedrockWithFake) -> None:
    error = await refused(bedrock.batches.get(CALLER, "abcdefghijkl"))
    assert (error.status, error.provider) == (Status.NOT_FOUND, "bedrock")
    assert (error.reason, error.upstream_status) == ("ResourceNotFoundException", 404)
    assert len(str(error.request_id)) == 32


async def test_the_proxys_own_keys_sign_instead_of_the_callers(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(own_keys=the_own_keys)
    bedrock.caller = caller("a-client-token")
    batch_id = await ended(bedrock, inline(*TEXTS))
    assert len(await items(bedrock, batch_id)) == len(TEXTS)


async def test_missing_keys_of_the_proxy(bedrock: BedrockWithFake) -> None:
    async def none() -> None:
        raise unavailable("no AWS credentials")

    bedrock.provider = bedrock.replica(own_keys=none)
    error = await refused(bedrock.files.list(CALLER, 10, None))
    assert (error.status, error.message) == (Status.UNAVAILABLE, "no AWS credentials")
