"""Region, role and S3 prefix from a request's headers, and the errors for wrong ones."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.buckets import new_prefix
from tests.end_to_end.batch_client import (
    LOOKS,
    MODELS,
    BatchClient,
    asking,
    by_key,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.fake_client import BEDROCK, FakeClient
from tests.end_to_end.sdk_process import PYTHON_NEWEST
from tests.fakes.bedrock import REGION, ROLE_ARN
from tests.fakes.s3 import FILES_BUCKET
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

BY_SETTING: Final = {"REGION", "ROLE_ARN", "S3_URI"}
HEADERS: Final[Mapping[str, str]] = {
    "x-ferry-aws-region": REGION,
    "x-ferry-bedrock-role-arn": ROLE_ARN,
    "x-ferry-bedrock-s3-uri": f"s3://{FILES_BUCKET}/by-header",
}
SETTING_OF: Final[Mapping[str, str]] = {
    "x-ferry-aws-region": "FERRY_PROVIDERS__BEDROCK__REGION",
    "x-ferry-bedrock-role-arn": "FERRY_PROVIDERS__BEDROCK__ROLE_ARN",
    "x-ferry-bedrock-s3-uri": "FERRY_PROVIDERS__BEDROCK__S3_URI",
}
ONE: Final = inline({"request": asking("hello")})
NOVA: Final = "amazon.nova-lite-v1:0"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unplaced(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A proxy whose settings have none of the three."""
    upstream = fakes["bedrock"].as_upstream.items()
    settings = {name: value for name, value in upstream if name not in BY_SETTING}
    async with proxy(tmp_path_factory.mktemp("unplaced"), {"bedrock": settings}) as process:
        yield process


@pytest.fixture
def client(bedrock: FakeClient, unplaced: Process, http: ClientSession) -> BatchClient:
    return BatchClient(f"{unplaced.url}/genai", BEDROCK, http)


@pytest.mark.parametrize("model", [MODELS["bedrock"], NOVA])
async def test_the_sdks_headers_give_region_role_and_prefix(
    bedrock: FakeClient, unplaced: Process, tmp_path: Path, model: str
) -> None:
    place = {**HEADERS, "x-ferry-bedrock-s3-uri": f"s3://{FILES_BUCKET}/{new_prefix()}"}
    folder = place["x-ferry-bedrock-s3-uri"].removeprefix(f"s3://{FILES_BUCKET}/")
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(json.dumps(gemini_line(key, key)) + "\n" for key in "ab"))
    sdk = PYTHON_NEWEST.start(
        f"{unplaced.url}/genai", api_key=BEDROCK.key, headers={**BEDROCK.headers, **place}
    )
    async with sdk as process:
        file = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
        job = await process.call("batches.create", model=model, src=file["name"])
        for _ in range(LOOKS):
            if job["state"] == "JOB_STATE_SUCCEEDED":
                break
            job = await process.call("batches.get", name=job["name"])
        got = tmp_path / "results.jsonl"
        await process.call("files.download", name=job["dest"]["fileName"], path=str(got))

    results = by_key([json.loads(line) for line in got.read_text().splitlines()])
    assert {key: text_of(one) for key, one in results.items()} == {"a": "echo: a", "b": "echo: b"}
    keys = (await bedrock.objects())["files"]
    assert keys
    assert all(key.startswith(folder) for key in keys)


@pytest.mark.parametrize("missing", HEADERS)
async def test_the_error_for_a_missing_value_names_setting_and_header(
    bedrock: FakeClient, client: BatchClient, missing: str
) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}

    refused = await client.call(
        "POST",
        f"v1beta/models/{client.model}:batchGenerateContent",
        {"batch": {"inputConfig": ONE}},
        headers,
    )

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert missing in refused.message
    assert SETTING_OF[missing] in refused.message
    assert await bedrock.requests(method="POST") == []


WRONG: Final[Mapping[str, tuple[dict[str, str], tuple[int, str], str]]] = {
    "no such region": (
        {"x-ferry-aws-region": "us-nowhere-1"},
        (400, "INVALID_ARGUMENT"),
        "'us-nowhere-1' is not an AWS region",
    ),
    "the bucket is in another region": (
        {"x-ferry-aws-region": "eu-west-1"},
        (400, "INVALID_ARGUMENT"),
        "the bucket is in another region (us-east-1",
    ),
    "no such bucket": (
        {"x-ferry-bedrock-s3-uri": "s3://no-such-bucket/files"},
        (404, "NOT_FOUND"),
        "NoSuchBucket",
    ),
    "not to be passed on": (
        {"x-ferry-bedrock-role-arn": "arn:aws:iam::123456789012:role/of-somebody-else"},
        (403, "PERMISSION_DENIED"),
        "iam:PassRole",
    ),
}


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG.values(), ids=WRONG)
async def test_the_message_names_the_wrong_value(
    client: BatchClient,
    bedrock: FakeClient,
    wrong: dict[str, str],
    error: tuple[int, str],
    message: str,
) -> None:
    headers = {**HEADERS, **wrong}

    refused = await client.create(ONE, headers=headers)

    assert refused.error == error
    assert message in refused.message
    objects = await bedrock.objects()
    assert (objects["files"], objects["batches"]) == ([], [])


async def test_where_headers_are_not_allowed(
    bedrock: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    settings = {**bedrock.as_upstream, "ALLOW_HEADERS": "false"}
    async with proxy(tmp_path, {"bedrock": settings}) as process:
        client = BatchClient(f"{process.url}/genai", BEDROCK, http)
        assert (await client.call("GET", "v1beta/files")).ok == {}
        for header, value in HEADERS.items():
            refused = await client.call("GET", "v1beta/files", headers={header: value})
            assert refused.error == (400, "INVALID_ARGUMENT")
            assert header in refused.message
