"""An upstream that names another server everywhere: nothing and nobody is sent there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from tenacity import wait_none
from yarl import URL

from providers import retries
from proxy.composition import application
from proxy.kinds import KINDS
from proxy.settings import load
from proxy.state_probe import PROBE
from tests.contract.every_operation import BATCHES, FILES, GOOD, Operation, operations
from tests.fakes.bedrock import REGION, ROLE_ARN
from tests.fakes.s3 import FILES_BUCKET

FOLLOWED = ("Location", "X-Goog-Upload-URL", "X-Goog-Upload-Control-URL")
DROPPED = ("Link", "Refresh", "NEL", "Report-To", "Reporting-Endpoints", "Alt-Svc")


class Hostile:
    """The upstream of all providers, and the `elsewhere` that its answers name."""

    def __init__(self) -> None:
        self.status = 200
        self.elsewhere = ""
        self.visits: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        named = dict.fromkeys((*FOLLOWED, *DROPPED), self.elsewhere)
        headers = {**named, "X-Goog-Upload-Status": "active", "ETag": '"x"'}
        return web.json_response(self._document(), status=self.status, headers=headers)

    async def visit(self, request: web.Request) -> web.Response:
        self.visits.append(request.path)
        return web.Response()

    def _document(self) -> dict[str, Any]:
        """Members of all providers. Ids are valid, so that the next step is reached too."""
        addresses = (
            "results_url next_page last_id first_id url uri downloadUri nextPageToken "
            "output_file_id error_file_id output_file error_file nextToken"
        )
        return {
            **dict.fromkeys(addresses.split(), self.elsewhere),
            "id": FILES["openai"],
            "name": f"files/{FILES['gemini']}",
            "jobArn": f"arn:aws:bedrock:{REGION}:123456789012:model-invocation-job/abcdefghijkl",
            "status": "completed",
            "processing_status": "ended",
            "has_more": False,
            "data": [],
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": self.elsewhere}},
            "inputDataConfig": {"s3InputDataConfig": {"s3Uri": self.elsewhere}},
        }


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()
    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", made.visit)
    async with TestServer(elsewhere) as server:
        made.elsewhere = str(server.make_url("/elsewhere"))
        yield made


@pytest.fixture
async def ferry(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[URL, ClientSession]]:
    monkeypatch.setattr(retries, "USUAL_PAUSE", wait_none())
    async with AsyncExitStack() as stack:
        upstream = web.Application()
        upstream.router.add_route("*", "/{path:.*}", hostile.answer)
        url = (await stack.enter_async_context(TestServer(upstream))).make_url("/")
        settings = {
            "STATE_URL": tmp_path.as_uri(),
            "SECRET_KEY": "a-secret-key-of-good-length",
            "PROVIDERS__BEDROCK__S3_ENDPOINT_URL": str(url),
            "PROVIDERS__BEDROCK__REGION": REGION,
            "PROVIDERS__BEDROCK__ROLE_ARN": ROLE_ARN,
            "PROVIDERS__BEDROCK__S3_URI": f"s3://{FILES_BUCKET}/a/prefix",
            **{f"PROVIDERS__{name.upper()}__BASE_URL": str(url) for name in KINDS},
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"FERRY_{name}", value)
        app = application(load(KINDS))
        server = await stack.enter_async_context(TestServer(app))
        await app[PROBE].found()  # the end of a test must not interrupt it
        yield server.make_url("/"), await stack.enter_async_context(ClientSession())


@pytest.mark.parametrize("status", [200, 307])
@pytest.mark.parametrize("provider", sorted(KINDS))
async def test_no_address_of_an_upstream_leads_anywhere(
    hostile: Hostile, ferry: tuple[URL, ClientSession], provider: str, status: int
) -> None:
    hostile.status = status
    url, client = ferry
    download: Operation = ("GET", f"v1beta/files/{BATCHES[provider]}:download", {}, None)
    for operation in [*operations(provider), download]:
        method, path, headers, data = operation
        given = {**headers, "x-model-provider": provider, "x-goog-api-key": GOOD[provider]}
        target = url.join(URL(f"/genai/{path}", encoded=True))
        async with client.request(
            method, target, headers=given, data=data, allow_redirects=False
        ) as answer:
            await answer.read()
            assert answer.status != 500, operation
            assert status == 200 or answer.status >= 400, operation
            for name in (*FOLLOWED, *DROPPED):
                assert hostile.elsewhere not in answer.headers.get(name, ""), (name, operation)
            upload_url = answer.headers.get("X-Goog-Upload-URL")
        if upload_url:
            last = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
            async with client.post(URL(upload_url, encoded=True), headers=last, data=b"x" * 100):
                pass
    assert hostile.visits == []
