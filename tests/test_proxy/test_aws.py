import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from yarl import URL

from providers.errors import FerryError
from providers.status import Status
from proxy.aws import OwnAwsKeys, OwnS3, aws_regions
from proxy.bucket_errors import UnusableBucket


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials except those that a test sets."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_regions_and_their_dns_suffixes() -> None:
    regions = aws_regions()
    assert regions["eu-central-1"] == regions["us-gov-west-1"] == "amazonaws.com"
    assert regions["cn-north-1"] == "amazonaws.com.cn"
    assert not {"mars-north-1", "aws-global", "aws"} & regions.keys()


def test_the_regions_need_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nonesuch")
    aws_regions.cache_clear()
    assert "us-east-1" in aws_regions()


async def test_the_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEPROXY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    own = OwnAwsKeys()
    keys = await own()
    assert [*keys.secrets()] == ["the-secret", "AKIAOFTHEPROXY", "the-token"]
    assert await own() == keys


async def test_the_keys_of_a_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "batches")
    (tmp_path / "credentials").write_text(
        "[batches]\naws_access_key_id = AKIAOFTHEPROFILE\naws_secret_access_key = s\n"
    )
    assert (await OwnAwsKeys()()).access_key_id == "AKIAOFTHEPROFILE"


async def test_a_chain_without_keys_says_so() -> None:
    with pytest.raises(FerryError, match="no AWS credentials of its own") as missing:
        await OwnAwsKeys()()
    assert (missing.value.status, missing.value.code) == (Status.FAILED_PRECONDITION, 400)


async def test_the_wrong_value_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-secret-name")
    with pytest.raises(FerryError, match="ProfileNotFound") as missing:
        await OwnAwsKeys()()
    assert "the-secret-name" not in str(missing.value)
    assert missing.value.status == Status.FAILED_PRECONDITION


def refusal_of_sts(http: int, code: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "the-secret"},
        "ResponseMetadata": {"HTTPStatusCode": http},
    }
    return ClientError(response, "AssumeRole")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (refusal_of_sts(403, "AccessDenied"), Status.FAILED_PRECONDITION),
        (refusal_of_sts(400, "Throttling"), Status.UNAVAILABLE),
        (refusal_of_sts(400, "IDPCommunicationError"), Status.UNAVAILABLE),
        (refusal_of_sts(503, "ServiceUnavailable"), Status.UNAVAILABLE),
        (
            RuntimeError("Credentials were refreshed, but are still expired: the-secret"),
            Status.UNAVAILABLE,
        ),
        (OSError("the-secret"), Status.UNAVAILABLE),
    ],
)
async def test_a_chain_that_is_refused_says_so(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: Status
) -> None:
    async def refused(_: object) -> None:
        raise error

    monkeypatch.setattr("aiobotocore.session.AioSession.get_credentials", refused)
    with pytest.raises(FerryError, match=type(error).__name__) as missing:
        await OwnAwsKeys()()
    assert missing.value.status == status
    assert "the-secret" not in str(missing.value)


async def test_credentials_that_appear_later_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    own = OwnAwsKeys()
    with pytest.raises(FerryError):
        await own()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEPROXY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
    assert (await own()).access_key_id == "AKIAOFTHEPROXY"


# --- where the bucket is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "https://bucket.s3.us-east-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "https://bucket.s3.cn-north-1.amazonaws.com.cn"),
        ({"AWS_DEFAULT_REGION": "of-tomorrow-1"}, "https://bucket.s3.of-tomorrow-1.amazonaws.com"),
        (
            {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "https://bucket.s3-fips.dualstack.us-east-1.amazonaws.com",
        ),
        ({"AWS_ENDPOINT_URL": "https://s3.test/path"}, "https://s3.test/path/bucket"),
        (
            {"AWS_ENDPOINT_URL": "https://other.test", "AWS_ENDPOINT_URL_S3": "https://s3.test"},
            "https://s3.test/bucket",
        ),
    ],
)
def test_the_settings_of_aws_determine_the_bucket(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(OwnS3(None).bucket_url("bucket")) == url


def test_a_configured_endpoint_takes_precedence_over_awss_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.test")
    assert OwnS3(URL("http://minio.test:9000")).bucket_url("b.1") == URL(
        "http://minio.test:9000/b.1"
    )


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ("endpoint_url = https://all.test", "https://all.test/bucket"),
        (
            "endpoint_url = https://all.test\nservices = own\n"
            "[services own]\ns3 =\n  endpoint_url = https://s3.test\n",
            "https://s3.test/bucket",
        ),
        (
            "endpoint_url = https://all.test\nignore_configured_endpoint_urls = true",
            "https://bucket.s3.us-east-1.amazonaws.com",
        ),
    ],
)
def test_the_endpoint_may_come_from_a_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str, url: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "batches")
    (tmp_path / "config").write_text(f"[profile batches]\n{config}\n")
    assert str(OwnS3(None).bucket_url("bucket")) == url


def test_the_region_may_come_from_a_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "batches")
    (tmp_path / "config").write_text("[profile batches]\nregion = eu-north-1\n")
    assert OwnS3(None).region == "eu-north-1"


def test_a_profile_that_does_not_exist_makes_the_bucket_unusable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-secret-name")
    with pytest.raises(UnusableBucket, match="ProfileNotFound") as wrong:
        OwnS3(None).bucket_url("bucket")
    assert "the-secret-name" not in wrong.value.message
