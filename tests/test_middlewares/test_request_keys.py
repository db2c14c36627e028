"""A request on an upload URL has the same keys as the request that started the upload."""

from dataclasses import replace
from typing import Any, cast

import pytest
from aiohttp import web
from yarl import URL

from middlewares import routes
from middlewares.operations import Operation
from middlewares.request_keys import CALLER, CREDENTIAL, PROVIDER, ROUTE, Call
from middlewares.upload_request import upload
from providers.credential import Caller, Credential
from providers.provider import Uploads
from providers.upload import StartedUpload, UploadProgress, UploadStatus
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

KEY = {"x-goog-api-key": "token-of-ann", "x-scope": "s"}
START = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
QUERY = {"X-Goog-Upload-Command": "query"}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[web.Request]:
    """The requests as they are when they are read into operations."""
    requests = []

    async def parse(request: web.Request) -> Operation:
        requests.append(request)
        return await upload(request)

    call = Call("upload", parse)
    monkeypatch.setattr(routes, "UPLOAD", call)
    monkeypatch.setitem(routes.TABLE, ("POST", "upload/files"), call)
    return requests


@pytest.mark.parametrize("own", [None, Credential(api_key="sk-own"), Credential()])
@pytest.mark.parametrize("needs_caller", [True, False])
async def test_a_chunk_without_a_key_has_the_caller_of_the_start(
    seen: list[web.Request], own: Credential | None, needs_caller: bool
) -> None:
    def act(*arguments: Any) -> StartedUpload | UploadProgress:
        if len(arguments) == 2:
            return StartedUpload({}, needs_caller=needs_caller)
        return UploadProgress(UploadStatus.ACTIVE)

    provider = scripted_provider("openai")
    provider = replace(provider, uploads=cast(Uploads, Scripted(act)), own_credential=own)
    async with running_chain(provider, tokens=["token-of-ann"]) as client:
        started = await client.post(
            "/genai/upload/v1beta/files", headers=KEY | START, data=b'{"file": {}}'
        )
        url = URL(started.headers["X-Goog-Upload-URL"]).relative()
        assert (await client.post(url, headers=QUERY)).status == 200
    start, chunk = seen
    for request in seen:
        assert {ROUTE, CREDENTIAL, PROVIDER, CALLER} <= set(request)
    assert chunk[PROVIDER] is start[PROVIDER] is provider
    caller = start[CALLER]
    if needs_caller:
        assert chunk[CALLER] == caller
    else:
        assert chunk[CALLER] == Caller(Credential(), caller.tenant, identity=caller.identity)
    assert (start[CREDENTIAL].secret, chunk[CREDENTIAL].secret) == ("token-of-ann", "")
