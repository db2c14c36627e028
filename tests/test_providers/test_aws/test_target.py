from typing import Any

import pytest
from yarl import URL

from providers.aws.folder import Folder
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.test_aws.targets import (
    ENDPOINT,
    ROLE,
    aws_target,
    caller,
    own_keys,
)


async def test_everything_may_come_from_the_settings() -> None:
    found = await aws_target()
    assert (found.region, found.role_arn, found.tenant_id) == ("eu-west-1", ROLE, "")
    assert found.folder == Folder("bucket", "some/prefix/")
    assert (await found.keys()).access_key_id == "AKIAOFSOMEBODY"


async def test_everything_may_come_with_the_request() -> None:
    found = await aws_target(
        caller(
            x_ferry_aws_region="us-east-1",
            x_ferry_bedrock_role_arn="arn:aws-us-gov:iam::210987654321:role/other",
            x_ferry_bedrock_s3_uri="s3://other",
        ),
        region=None,
        role_arn=None,
        s3_uri=None,
    )
    assert (found.region, found.role_arn[-5:]) == ("us-east-1", "other")
    assert found.folder == Folder("other", "")


async def whole(**said: Any) -> tuple[str, Folder]:
    """Reads every part of an AwsTarget that may be missing."""
    found = await aws_target(name="my-bedrock", **said)
    return found.role_arn, found.folder


@pytest.mark.parametrize(
    ("said", "what", "setting", "header"),
    [
        ({"region": None}, "region", "REGION", "x-ferry-aws-region"),
        ({"role_arn": None}, "role", "ROLE_ARN", "x-ferry-bedrock-role-arn"),
        ({"s3_uri": None}, "s3://", "S3_URI", "x-ferry-bedrock-s3-uri"),
    ],
)
async def test_a_missing_setting_is_named_with_both_names(
    said: dict[str, Any], what: str, setting: str, header: str
) -> None:
    with pytest.raises(FerryError, match=what) as missing:
        await whole(**said)
    assert missing.value.status == Status.INVALID_ARGUMENT
    assert f"FERRY_PROVIDERS__MY_BEDROCK__{setting} or the header {header}" in str(missing.value)


@pytest.mark.parametrize("how", [{"headers": False}, {"own_keys": own_keys}])
async def test_headers_are_refused_where_only_the_settings_count(how: dict[str, Any]) -> None:
    with pytest.raises(FerryError, match="x-ferry-aws-region is not accepted here") as refused:
        await aws_target(caller(x_ferry_aws_region="us-east-1"), **how)
    assert refused.value.status == Status.INVALID_ARGUMENT
    with pytest.raises(FerryError) as missing:
        await aws_target(region=None, **how)
    assert "header" not in str(missing.value)
    assert (await aws_target(**how)).region == "eu-west-1"


@pytest.mark.parametrize("region", ["mars-north-1", "eu-west-1.evil.test/", "EU-WEST-1"])
async def test_an_unknown_region_is_refused(region: str) -> None:
    with pytest.raises(FerryError, match="is not an AWS region") as refused:
        await aws_target(caller(x_ferry_aws_region=region))
    assert refused.value.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "uri",
    ["bucket/prefix", "s3://", "s3://B", "s3://bucket//x", "s3://bucket/a b", "s3://b.test/é"],
)
async def test_an_s3_uri_that_bedrock_rejects_is_refused(uri: str) -> None:
    with pytest.raises(FerryError, match="not s3://bucket/prefix"):
        _ = (await aws_target(caller(x_ferry_bedrock_s3_uri=uri))).folder


async def test_an_invalid_role_is_refused() -> None:
    with pytest.raises(FerryError, match="not the ARN of a role"):
        _ = (await aws_target(caller(x_ferry_bedrock_role_arn="role/batch"))).role_arn


async def test_the_proxys_own_keys_are_used_instead_of_the_callers() -> None:
    found = await aws_target(caller("any-token"), own_keys=own_keys)
    assert ((await found.keys()).access_key_id, found.tenant_id) == ("AKIAOFTHEPROXY", "")


async def test_tenants_have_folders_of_their_own() -> None:
    found = await aws_target(own_keys=own_keys, isolated=True)
    assert found.tenant_id == "0123456789abcdef"
    assert found.folder == Folder("bucket", "some/prefix/0123456789abcdef/")


async def test_the_public_addresses() -> None:
    found = await aws_target()
    assert str(found.control) == "https://bedrock.eu-west-1.amazonaws.com"
    assert str(found.runtime) == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert str(found.bucket_url("b-1")) == "https://b-1.s3.eu-west-1.amazonaws.com"
    assert str(found.bucket_url("b.1")) == "https://s3.eu-west-1.amazonaws.com/b.1"


async def test_configured_addresses() -> None:
    base, runtime = URL("http://control.test"), URL("http://runtime.test")
    found = await aws_target(base_url=base, s3_endpoint_url=ENDPOINT)
    assert (found.control, found.runtime) == (base, base)
    assert found.bucket_url("b.1") == ENDPOINT / "b.1"
    both = await aws_target(base_url=base, runtime_url=runtime)
    assert (both.control, both.runtime) == (base, runtime)


@pytest.mark.parametrize(
    ("uri", "with_callers", "with_own"),
    [
        ("s3://bucket/some/prefix/0123456789abcdef/cat.png", True, True),
        ("s3://bucket/some/prefix/fedcba9876543210/cat.png", True, False),
        ("s3://bucket/some/prefix/0123456789abcdef", True, False),
        ("s3://elsewhere/cat.png", True, False),
    ],
)
async def test_with_the_proxys_own_keys_only_the_callers_own_may_be_read(
    uri: str, with_callers: bool, with_own: bool
) -> None:
    assert (await aws_target()).may_read(uri) is with_callers
    assert (await aws_target(own_keys=own_keys, isolated=True)).may_read(uri) is with_own


async def test_no_key_is_shown() -> None:
    shown = repr(await aws_target())
    assert not any(secret in shown for secret in ("AKIA", "a/secret+key=", "a-session-token"))
