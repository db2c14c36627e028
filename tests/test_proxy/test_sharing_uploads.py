"""Upload URLs if tenants share the proxy's own credential."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

from middlewares.paths import UPLOAD_TAIL
from providers.credential import Credential
from providers.uploads.upload_target import read_session_key
from tests.test_proxy.shared_proxy import ANN, BOB, OWN, SharedProxy, lines, shared_proxy

# The same message for every URL that does not open.
NO_SUCH_URL = (
    "no such upload URL: it is not one of this proxy's, or it was sealed with another "
    "FERRY_SECRET_KEY (replicas need the same one; without one, every restart makes a new one)"
)


@pytest.fixture(params=list(OWN))
async def shared(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SharedProxy]:
    async with shared_proxy(request.param, tmp_path / "state", monkeypatch) as proxy:
        yield proxy


async def test_an_upload_url_belongs_to_the_tenant_that_started_it(shared: SharedProxy) -> None:
    data = lines()
    url = await shared.start(ANN, len(data))
    for other in (BOB, "no-token", OWN[shared.provider]):
        refused = await shared.chunk(other, url, data)
        assert refused.error == (404, "NOT_FOUND", NO_SUCH_URL)
    name = (await shared.chunk(ANN, url, data)).ok["file"]["name"]
    assert await shared.listed(ANN, "files") == [name]
    assert await shared.listed(BOB, "files") == []


async def test_no_upload_url_contains_the_proxys_own_key(shared: SharedProxy) -> None:
    url = URL(await shared.start(ANN, 10))
    sealed = shared.gateway.upload_urls.open(url.query["upload_id"], UPLOAD_TAIL)
    assert sealed is not None
    assert OWN[shared.provider] not in repr(dict(sealed.details))
    if shared.provider == "gemini":
        assert sealed.sealed_caller == ""
        return
    key = await read_session_key(shared.state, sealed.session)
    caller = shared.gateway.upload_urls.open_caller(sealed, key or b"")
    assert caller is not None
    assert caller.credential == Credential()


async def test_a_removed_token_ends_its_uploads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_SECRET_KEY", "sealing-key-of-many-characters")
    data = lines()
    async with shared_proxy("openai", tmp_path / "state", monkeypatch) as shared:
        paths = [URL(await shared.start(token, len(data))).path_qs for token in (ANN, BOB)]
    left = {"FERRY_CLIENT_TOKENS": BOB}
    async with shared_proxy("openai", tmp_path / "state", monkeypatch, **left) as shared:
        ann, bob = [await shared.chunk(None, f"{shared.url}{path}", data) for path in paths]
    assert (ann.error[0], bob.status) == (404, 200)


@pytest.mark.parametrize(("before", "after"), [("ambient", "caller"), ("caller", "ambient")])
async def test_an_upload_continues_only_with_the_credential_of_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    monkeypatch.setenv("FERRY_SECRET_KEY", "sealing-key-of-many-characters")
    settings = {
        "ambient": {"FERRY_CLIENT_TOKENS": ""},
        "caller": {
            "FERRY_CLIENT_TOKENS": "",
            "FERRY_PROVIDERS__OPENAI__CREDENTIALS": "caller",
            "FERRY_PROVIDERS__OPENAI__API_KEY": "",
        },
    }
    data = lines()
    async with shared_proxy(
        "openai", tmp_path / "state", monkeypatch, **settings[before]
    ) as shared:
        path = URL(await shared.start("sk-callers-secret", len(data))).path_qs
    async with shared_proxy("openai", tmp_path / "state", monkeypatch, **settings[after]) as shared:
        refused = await shared.chunk(None, f"{shared.url}{path}", data)
        assert refused.error == (404, "NOT_FOUND", NO_SUCH_URL)
        assert '"path":"/v1' not in (await shared.upstream_requests()).replace(" ", "")
