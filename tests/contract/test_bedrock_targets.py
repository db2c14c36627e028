"""Where a call to Bedrock goes: region, role and S3 prefix, from the settings or the request."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from providers.aws.target import REGION_HEADER, ROLE_HEADER, S3_HEADER
from providers.batches.immediate.jobs import ImmediateUse
from providers.resource_names import object_file_id, result_file_id
from providers.status import Status
from tests.contract.bedrock_batching import TEXTS, created, ended
from tests.contract.bedrock_immediate import has_ended
from tests.contract.bedrock_with_fake import (
    CALLER,
    S3_URI,
    BedrockWithFake,
    inline,
    refused,
    the_own_keys,
)
from tests.fakes.bedrock import REGION, ROLE_ARN
from tests.fakes.s3 import FILES_BUCKET

SAYS = {REGION_HEADER: REGION, ROLE_HEADER: ROLE_ARN, S3_HEADER: S3_URI}
SETTINGS = {REGION_HEADER: "region", ROLE_HEADER: "role_arn", S3_HEADER: "s3_uri"}


def without(setting: str) -> dict[str, Any]:
    return {setting: None}


Call = Callable[[BedrockWithFake], Awaitable[object]]


async def no_calls_made(bedrock: BedrockWithFake) -> bool:
    asked = [await bedrock.requests(method) for method in ("GET", "HEAD", "PUT", "POST", "DELETE")]
    return not any(asked)


@pytest.mark.parametrize("header", SAYS)
async def test_a_missing_setting_is_named_with_its_header(
    bedrock: BedrockWithFake, header: str
) -> None:
    bedrock.provider = bedrock.replica(**without(SETTINGS[header]))
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.INVALID_ARGUMENT
    assert f"FERRY_PROVIDERS__BEDROCK__{SETTINGS[header].upper()}" in error.message
    assert header in error.message
    assert await bedrock.keys() == []
    assert await bedrock.objects("batches") == []
    assert bedrock.state.objects == {}


@pytest.mark.parametrize("header", [REGION_HEADER, S3_HEADER])
async def test_files_need_every_setting_except_the_role(
    bedrock: BedrockWithFake, header: str
) -> None:
    bedrock.provider = bedrock.replica(role_arn=None, **without(SETTINGS[header]))
    for attempt in (
        bedrock.start(1),
        bedrock.files.list(CALLER, 10, None),
        bedrock.files.get(CALLER, "a"),
        bedrock.files.download(CALLER, "a"),
    ):
        assert header in (await refused(attempt)).message
    bedrock.provider = bedrock.replica(role_arn=None)
    file_id = await bedrock.upload(b"x", "a.txt")
    assert (await bedrock.files.get(CALLER, file_id)).size == 1


async def test_headers_can_give_every_setting(bedrock: BedrockWithFake) -> None:
    bedrock.provider = bedrock.replica(region=None, role_arn=None, s3_uri=None)
    bedrock.caller = replace(CALLER, headers=SAYS)
    created = await bedrock.batches.create(bedrock.caller, inline(*TEXTS))
    assert await bedrock.objects("batches") == [created.id]
    file_id = await bedrock.upload(b"x", "a.txt")
    listed = await bedrock.files.list(bedrock.caller, 10, None)
    assert [file.id for file in listed.items] == [file_id]


async def test_a_header_takes_precedence_over_a_setting(bedrock: BedrockWithFake) -> None:
    bedrock.other_tool.put("another/prefix/a.txt", b"x")
    caller = replace(CALLER, headers={S3_HEADER: f"s3://{FILES_BUCKET}/another/prefix"})
    listed = await bedrock.files.list(caller, 10, None)
    assert [file.id for file in listed.items] == [object_file_id("a.txt")]
    assert (await bedrock.files.list(CALLER, 10, None)).items == []
    caller = replace(CALLER, headers={ROLE_HEADER: ROLE_ARN + "-of-another"})
    error = await refused(bedrock.batches.create(caller, inline(*TEXTS)))
    assert "ferry-batch-of-another" in error.message


@pytest.mark.parametrize("header", SAYS)
async def test_headers_that_are_not_allowed_are_refused(
    bedrock: BedrockWithFake, header: str
) -> None:
    bedrock.provider = bedrock.replica(headers=False)
    caller = replace(CALLER, headers={header: SAYS[header]})
    error = await refused(bedrock.files.list(caller, 10, None))
    assert error.status == Status.INVALID_ARGUMENT
    assert header in error.message
    assert SETTINGS[header].upper() in error.message
    assert await no_calls_made(bedrock)


@pytest.mark.parametrize("header", SAYS)
async def test_a_caller_cannot_choose_where_the_proxys_own_keys_go(
    bedrock: BedrockWithFake, header: str
) -> None:
    bedrock.provider = bedrock.replica(own_keys=the_own_keys)
    caller = replace(CALLER, headers={header: SAYS[header]})
    for attempt in (
        bedrock.files.list(caller, 10, None),
        bedrock.batches.list(caller, 10, None),
        bedrock.batches.create(caller, inline(*TEXTS)),
    ):
        error = await refused(attempt)
        assert error.status == Status.INVALID_ARGUMENT
        assert header in error.message
    assert await no_calls_made(bedrock)


@pytest.mark.parametrize("header", SAYS)
@pytest.mark.parametrize(
    "changes", [{"headers": False}, {"own_keys": the_own_keys}], ids=["headers off", "own keys"]
)
async def test_headers_do_not_say_where_an_immediate_batch_is(
    bedrock: BedrockWithFake, changes: dict[str, Any], header: str
) -> None:
    bedrock.provider = bedrock.replica(immediate=ImmediateUse.SMALL, **changes)
    batch_id = await created(bedrock, inline("few"))
    await has_ended(bedrock, batch_id)
    caller = replace(CALLER, headers={header: SAYS[header]})
    results = result_file_id(batch_id)
    for attempt in (
        bedrock.batches.get(caller, batch_id),
        bedrock.batches.list(caller, 1, None),
        bedrock.batches.cancel(caller, batch_id),
        bedrock.batches.delete(caller, batch_id),
        bedrock.files.get(caller, results),
        bedrock.files.download(caller, results),
        bedrock.files.delete(caller, results),
    ):
        error = await refused(attempt)
        assert error.status == Status.INVALID_ARGUMENT
        assert header in error.message
    assert (await bedrock.batches.get(CALLER, batch_id)).output is not None


@pytest.mark.parametrize("setting", ["region", "role_arn", "s3_uri"])
@pytest.mark.parametrize(
    "changes", [{"headers": False}, {"own_keys": the_own_keys}], ids=["headers off", "own keys"]
)
async def test_no_header_is_recommended_if_none_is_accepted(
    bedrock: BedrockWithFake, changes: dict[str, Any], setting: str
) -> None:
    bedrock.provider = bedrock.replica(**changes, **without(setting))
    error = await refused(bedrock.batches.create(CALLER, inline(*TEXTS)))
    assert error.status == Status.INVALID_ARGUMENT
    assert f"FERRY_PROVIDERS__BEDROCK__{setting.upper()}" in error.message
    assert "x-ferry-" not in error.message


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (REGION_HEADER, "moon-1"),
        (REGION_HEADER, "us-east-1.attacker.example/"),
        (S3_HEADER, "https://bucket/prefix"),
        (S3_HEADER, "s3://bucket/../prefix"),
        (S3_HEADER, "s3://bucket//prefix"),
        (S3_HEADER, "s3://bucket/with space"),
        (S3_HEADER, "s3://bucket/pre+fix"),
        (S3_HEADER, "s3://Bucket/prefix"),
        (S3_HEADER, "s3://bu@cket/prefix"),
        (ROLE_HEADER, "ferry-batch"),
        (ROLE_HEADER, "arn:aws:iam::123:role/x"),
        (ROLE_HEADER, "arn:aws:iam::123456789012:user/x"),
    ],
)
async def test_a_malformed_setting_is_refused_before_any_call(
    bedrock: BedrockWithFake, header: str, value: str
) -> None:
    caller = replace(CALLER, headers={header: value})
    error = await refused(bedrock.batches.create(caller, inline(*TEXTS)))
    assert error.status == Status.INVALID_ARGUMENT
    assert header in error.message
    assert await no_calls_made(bedrock)


# --- another region -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda bedrock: bedrock.files.list(CALLER, 10, None),
        lambda bedrock: bedrock.files.get(CALLER, "a.txt"),
        lambda bedrock: bedrock.files.delete(CALLER, "a.txt"),
        lambda bedrock: bedrock.files.download(CALLER, "a.txt"),
        lambda bedrock: bedrock.upload(b"x", "a.txt"),
        lambda bedrock: bedrock.batches.create(CALLER, inline(*TEXTS)),
    ],
    ids=["list", "get", "delete", "download", "upload", "create"],
)
async def test_the_error_for_a_bucket_in_another_region_names_that_region(
    bedrock: BedrockWithFake, call: Call
) -> None:
    bedrock.provider = bedrock.replica(region="eu-central-1")
    error = await refused(call(bedrock))
    assert error.status == Status.INVALID_ARGUMENT
    assert f"the bucket is in another region ({REGION}, not eu-central-1)" in error.message
    assert error.permanent


async def test_a_deleted_batch_is_gone_even_if_files_are_elsewhere_now(
    bedrock: BedrockWithFake,
) -> None:
    before = await bedrock.keys()
    batch_id = await ended(bedrock, inline(*TEXTS))
    batches = bedrock.replica(s3_uri=f"s3://{FILES_BUCKET}/elsewhere").batches
    assert batches is not None
    await batches.delete(CALLER, batch_id)
    assert await bedrock.keys() == before
