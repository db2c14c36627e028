"""The proxy's own AWS credentials: a tenant sees only its own files and batches."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.buckets import aws_environment, new_prefix
from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.fake_client import BEDROCK, FakeClient
from tests.end_to_end.upload_client import UploadClient
from tests.fakes.bedrock import LONG_TERM, ROLE_ARN
from tests.fakes.s3 import FILES_BUCKET
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TOKENS: Final = ("token-of-the-first-tenant", "token-of-the-second-tenant")
# The proxy runs a batch of one request itself; two are a job.
SMALL, LARGE = ("one",), ("one", "two")
ABSENT: Final = (404, "NOT_FOUND")


@dataclass(frozen=True)
class Tenant:
    batches: BatchClient
    uploads: UploadClient


@dataclass(frozen=True)
class Shared:
    """Two tenants of one proxy; `prefix` is the proxy's folder in S3."""

    process: Process
    prefix: str
    first: Tenant
    second: Tenant


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ambient(
    fakes: dict[str, FakeClient], http: ClientSession, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shared]:
    prefix = new_prefix()
    settings = {
        **fakes["bedrock"].as_upstream,
        "CREDENTIALS": "ambient",
        "S3_URI": f"s3://{FILES_BUCKET}/{prefix}",
        "MIN_RECORDS": str(len(LARGE)),
        "IMMEDIATE_BATCHES": "small",
    }
    env = {**aws_environment(), "FERRY_CLIENT_TOKENS": ",".join(TOKENS)}
    async with proxy(tmp_path_factory.mktemp("ambient"), {"bedrock": settings}, env) as process:
        first, second = (_tenant(process, token, http) for token in TOKENS)
        yield Shared(process, prefix, first, second)
    for secret in (*TOKENS, LONG_TERM.secret_access_key, LONG_TERM.access_key_id, "X-Amz-Sign"):
        assert secret not in process.output


def _tenant(process: Process, token: str, http: ClientSession) -> Tenant:
    url, kind = f"{process.url}/genai", replace(BEDROCK, key=token)
    return Tenant(BatchClient(url, kind, http), UploadClient(url, kind, http))


# --- two tenants ---------------------------------------------------------------------------------


async def file_of(tenant: Tenant, keys: tuple[str, ...]) -> str:
    return await tenant.batches.upload_lines([gemini_line(key, f"of {key}") for key in keys])


async def ended_batch(tenant: Tenant, keys: tuple[str, ...]) -> Document:
    source = from_file(await file_of(tenant, keys))
    created = (await tenant.batches.create(source, displayName="mine")).ok
    return await tenant.batches.ended_by_itself(created["name"])


@pytest.mark.parametrize("keys", [SMALL, LARGE], ids=["immediate", "job"])
async def test_a_tenant_sees_its_batches_and_their_results(
    bedrock: FakeClient, ambient: Shared, keys: tuple[str, ...]
) -> None:
    batch = await ended_batch(ambient.first, keys)

    assert batch["name"].startswith("batches/immediate-") is (keys is SMALL)
    assert batch["metadata"]["displayName"] == "mine"
    results = by_key(await ambient.first.batches.results(batch))
    assert {key: text_of(one) for key, one in results.items()} == {
        key: f"echo: of {key}" for key in keys
    }
    for key in (await bedrock.objects())["files"]:
        tenant_id, _, name = key.removeprefix(ambient.prefix).partition("/")
        assert key.startswith(ambient.prefix)
        assert (len(tenant_id), bool(name)) == (16, True), (
            "every object is in the tenant's own folder"
        )


@pytest.mark.parametrize("keys", [SMALL, LARGE], ids=["immediate", "job"])
async def test_another_tenants_batch_does_not_exist_for_any_call(
    bedrock: FakeClient, ambient: Shared, keys: tuple[str, ...]
) -> None:
    batch = await ended_batch(ambient.first, keys)
    name, results = batch["name"], batch["metadata"]["output"]["responsesFile"]
    stranger = ambient.second.batches

    for answer in (
        await stranger.get(name),
        await stranger.cancel(name),
        await stranger.delete(name),
        await stranger.call("GET", f"v1beta/{results}"),
        await stranger.call("GET", f"v1beta/{results}:download?alt=media"),
        await stranger.call("GET", f"download/v1beta/{results}:download?alt=media"),
        await stranger.call("DELETE", f"v1beta/{results}"),
    ):
        assert answer.error == ABSENT
    assert len(await ambient.first.batches.download(results)) == len(keys), "nothing was changed"


async def test_a_running_batch_of_another_tenant_runs_on(
    bedrock: FakeClient, ambient: Shared
) -> None:
    source = from_file(await file_of(ambient.first, LARGE))
    name = (await ambient.first.batches.create(source)).ok["name"]

    assert (await ambient.second.batches.cancel(name)).error == ABSENT

    batch = await ambient.first.batches.ended(name)
    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"


async def test_another_tenants_file_does_not_exist_for_any_call(
    bedrock: FakeClient, ambient: Shared
) -> None:
    name = await file_of(ambient.first, LARGE)
    native = bedrock.native_id(name)
    (key,) = [one for one in (await bedrock.objects())["files"] if one.endswith(native)]
    stranger = ambient.second.batches

    for own in (name, f"files/{native}"):
        for answer in (
            await stranger.call("GET", f"v1beta/{own}"),
            await stranger.call("GET", f"v1beta/{own}:download?alt=media"),
            await stranger.call("DELETE", f"v1beta/{own}"),
            await stranger.create(from_file(own)),
        ):
            assert answer.error == ABSENT
    tenant_id = key.removeprefix(ambient.prefix).partition("/")[0]
    for path in (f"../{tenant_id}/{native}", f"{tenant_id}/{native}", f"./../{tenant_id}/{native}"):
        climbing = base64.b32encode(path.encode()).decode().lower().rstrip("=")
        for method in ("GET", "DELETE"):
            answer = await stranger.call(method, f"v1beta/files/o{climbing}")
            assert answer.code in (400, 404), path
    assert key in (await bedrock.objects())["files"]


async def test_lists_have_nothing_in_common(bedrock: FakeClient, ambient: Shared) -> None:
    for tenant in (ambient.first, ambient.second):
        for keys in (SMALL, LARGE):
            await ended_batch(tenant, keys)

    for collection, member in (("batches", "operations"), ("files", "files")):
        lists = [
            {
                one["name"]
                for one in (await tenant.batches.call("GET", f"v1beta/{collection}")).ok[member]
            }
            for tenant in (ambient.first, ambient.second)
        ]
        assert all(len(names) >= 2 for names in lists)
        assert not lists[0] & lists[1]


async def test_an_upload_url_belongs_to_its_tenant(bedrock: FakeClient, ambient: Shared) -> None:
    url = await ambient.first.uploads.begin(5)

    refused = await ambient.second.uploads.send(
        url, 0, b"hello", finalize=True, headers=ambient.second.uploads.authorised
    )

    assert refused.error == (*ABSENT, "final")
    file = (await ambient.first.uploads.send(url, 0, b"hello", finalize=True)).file
    assert (await ambient.second.batches.call("GET", f"v1beta/{file['name']}")).error == ABSENT


async def test_one_idempotency_key_of_two_tenants_is_two_batches(
    bedrock: FakeClient, ambient: Shared
) -> None:
    key = {"x-ferry-idempotency-key": "Monday's job"}
    source = inline(*({"request": asking(text)} for text in LARGE))

    names = [
        (await tenant.batches.create(source, headers=key)).ok["name"]
        for tenant in (ambient.first, ambient.second, ambient.first)
    ]

    assert names[0] == names[2] != names[1]


# --- without a client token ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["no-token-of-this-proxy", LONG_TERM.api_key, TOKENS[0][:-1]])
async def test_a_key_that_is_not_a_client_token(
    bedrock: FakeClient, ambient: Shared, key: str
) -> None:
    for method, path in (
        ("GET", "v1beta/files"),
        ("GET", "v1beta/batches"),
        ("POST", "upload/v1beta/files"),
    ):
        refused = await ambient.first.batches.call(method, path, key=key)
        assert refused.error == (401, "UNAUTHENTICATED")
        assert key.encode() not in refused.content
    assert await bedrock.requests() == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-ferry-aws-region", "us-east-1"),
        ("x-ferry-bedrock-role-arn", ROLE_ARN),
        ("x-ferry-bedrock-s3-uri", f"s3://{FILES_BUCKET}"),
    ],
)
async def test_only_the_settings_give_region_role_and_prefix(
    bedrock: FakeClient, ambient: Shared, header: str, value: str
) -> None:
    refused = await ambient.first.batches.call("GET", "v1beta/files", headers={header: value})

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert header in refused.message
    assert "FERRY_PROVIDERS__BEDROCK__" in refused.message
    assert await bedrock.requests() == []
