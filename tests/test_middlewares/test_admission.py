"""A secret key that only signs, and the network that it came over."""

import re
from dataclasses import replace
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from middlewares.admission import refuse_in_the_clear
from middlewares.chain import expect
from providers.credential import Credential
from providers.errors import FerryError
from providers.provider import Provider
from providers.resources import Page
from tests.test_middlewares.chain_at_work import Scripted, chain_at_work, scripted_provider

SIGNING = replace(scripted_provider("bedrock"), secret_key_travels=True)
LOOPBACK = ip_network("127.0.0.0/8")
BALANCER = ip_network("10.0.0.0/8")
HTTPS = {"X-Forwarded-Proto": "https"}
HTTP = {"X-Forwarded-Proto": "http"}


async def refusal(
    provider: Provider, remote: str, headers: dict[str, str], *, allow: bool
) -> str | None:
    """What a request from `remote` with a key is refused with."""
    async with chain_at_work(
        provider, trusted=[LOOPBACK, BALANCER], allow_plaintext_keys=allow
    ) as client:
        app = client.app
        assert app is not None
        request = make_mocked_request("GET", "/genai/v1/files", headers, app=app)
        try:
            refuse_in_the_clear(request.clone(remote=remote), provider)
        except FerryError as error:
            return error.status
    return None


@pytest.mark.parametrize(
    ("remote", "headers", "expected"),
    [
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
        ("::ffff:127.0.0.1", {}, False),
        # What a proxy on this machine lets in is for its own operator to say.
        ("127.0.0.1", HTTP, False),
        ("192.0.2.7", {}, True),
        ("192.0.2.7", HTTPS, True),
        ("2001:db8::1", {}, True),
        ("", {}, True),
        ("10.0.0.1", {}, True),
        ("10.0.0.1", HTTP, True),
        ("10.0.0.1", HTTPS, False),
        ("::ffff:10.0.0.1", HTTPS, False),
        # One value for each leg of the way, of which the client may have written the first.
        ("10.0.0.1", {"X-Forwarded-Proto": "https, https"}, False),
        ("10.0.0.1", {"X-Forwarded-Proto": "https, http"}, True),
        ("10.0.0.1", {"X-Forwarded-Proto": "http, https"}, True),
        ("10.0.0.1", {"X-Forwarded-Proto": ""}, True),
    ],
)
async def test_it_must_not_cross_a_network_in_the_clear(
    remote: str, headers: dict[str, str], expected: bool
) -> None:
    status = "PERMISSION_DENIED" if expected else None
    assert await refusal(SIGNING, remote, headers, allow=False) == status
    assert await refusal(SIGNING, remote, headers, allow=True) is None


async def test_only_a_secret_key_of_the_callers_own_is_looked_at() -> None:
    ambient = replace(SIGNING, own_credential=Credential())
    for provider in (scripted_provider("openai"), ambient):
        assert await refusal(provider, "192.0.2.7", {}, allow=False) is None


async def test_it_is_refused_before_the_provider_and_before_the_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("bedrock", files=files), secret_key_travels=True)
    monkeypatch.setattr(web.Request, "remote", property(lambda _: "192.0.2.7"))
    headers = {"x-goog-api-key": "AKIA:secret", "Expect": "100-continue"}
    async with chain_at_work(provider) as client:
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 403
            assert "secret key" in (await reply.json())["error"]["message"]
            assert "AKIA" not in await reply.text()
    assert files.calls == []


@pytest.mark.parametrize(("key", "status"), [("x", 401), ("token-of-ann", None)])
async def test_who_is_no_tenant_is_told_before_it_sends_a_body(
    key: str, status: int | None
) -> None:
    provider = replace(scripted_provider("openai"), own_credential=Credential(api_key="sk-own"))
    async with chain_at_work(provider, tokens=["token-of-ann"]) as client:
        assert client.app is not None
        headers = {"Expect": "100-continue", "x-goog-api-key": key}
        request = make_mocked_request("POST", "/genai/v1/files", headers, app=client.app)
        response = await expect(request)
    assert (response.status if response else None) == status


# --- whose it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["x-goog-api-key", "Authorization"])
@pytest.mark.parametrize(
    ("key", "asked", "status"),
    [
        ("AKIA-of-it:secret", "openai", 401),
        ("AKIA-of-it:secret", "", 401),
        ("AKIA-of-it:secret", "bedrock", 200),
        ("sk-of-openai", "openai", 200),
    ],
)
async def test_a_key_goes_to_no_provider_that_it_is_surely_not_for(
    how: str, key: str, asked: str, status: int
) -> None:
    files = Scripted(lambda *_: Page([]))
    openai = scripted_provider("openai", files=files)
    form = re.compile("AKIA.*")
    bedrock = replace(scripted_provider("bedrock", files=files), key_form=form)
    said = {how: key if how != "Authorization" else f"Bearer {key}"}
    named = {"x-model-provider": asked} if asked else {}
    async with chain_at_work(openai, replace(bedrock, kind="bedrock")) as client:
        async with client.get("/genai/v1/files", headers={**said, **named}) as reply:
            assert reply.status == status
            text = await reply.text()
    assert bool(files.calls) is (status == 200)
    if status == 401:
        assert "this is a key for bedrock" in text
        assert "AKIA" not in text
