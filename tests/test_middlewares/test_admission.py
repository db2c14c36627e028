"""Keys that are refused: sent without encryption, or to the wrong provider."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from middlewares.chain import expect
from middlewares.request_keys import GATEWAY
from providers.anthropic import provider as anthropic
from providers.aws import keys as bedrock_keys
from providers.credential import Credential
from providers.errors import FerryError
from providers.gemini import provider as gemini
from providers.openai import provider as openai
from providers.provider import Provider
from providers.resources import Page
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

SIGNING = replace(scripted_provider("bedrock"), secret_key_travels=True)
LOOPBACK = ip_network("127.0.0.0/8")
BALANCER = ip_network("10.0.0.0/8")
HTTPS = {"X-Forwarded-Proto": "https"}
HTTP = {"X-Forwarded-Proto": "http"}


async def refusal(
    provider: Provider, remote: str, headers: dict[str, str], *, allow: bool
) -> str | None:
    """The error for a request with a key from `remote`; None if it is accepted."""
    setting = None if allow else "FERRY_ALLOW_PLAINTEXT"
    async with running_chain(
        provider, trusted=[LOOPBACK, BALANCER], plaintext_keys_setting=setting
    ) as client:
        app = client.app
        assert app is not None
        request = make_mocked_request("GET", "/genai/v1/files", headers, app=app)
        try:
            admission = app[GATEWAY].admission
            admission.check(request.clone(remote=remote), provider, Credential(api_key="a"))
        except FerryError as error:
            return error.status.name
    return None


@pytest.mark.parametrize(
    ("remote", "headers", "expected"),
    [
        ("127.0.0.1", {}, False),
        ("::1", {}, False),
        ("::ffff:127.0.0.1", {}, False),
        # A proxy on this machine is its operator's responsibility.
        ("127.0.0.1", HTTP, False),
        ("192.0.2.7", {}, True),
        ("192.0.2.7", HTTPS, True),
        ("2001:db8::1", {}, True),
        ("", {}, True),
        ("10.0.0.1", {}, True),
        ("10.0.0.1", HTTP, True),
        ("10.0.0.1", HTTPS, False),
        ("::ffff:10.0.0.1", HTTPS, False),
        # One value for each hop; the client may have written the first one.
        ("10.0.0.1", {"X-Forwarded-Proto": "https, https"}, False),
        ("10.0.0.1", {"X-Forwarded-Proto": "https, http"}, True),
        ("10.0.0.1", {"X-Forwarded-Proto": "http, https"}, True),
        ("10.0.0.1", {"X-Forwarded-Proto": ""}, True),
    ],
)
async def test_it_must_not_cross_a_network_without_encryption(
    remote: str, headers: dict[str, str], expected: bool
) -> None:
    status = "PERMISSION_DENIED" if expected else None
    assert await refusal(SIGNING, remote, headers, allow=False) == status
    assert await refusal(SIGNING, remote, headers, allow=True) is None


async def test_only_a_callers_own_secret_key_is_checked() -> None:
    ambient = replace(SIGNING, own_credential=Credential())
    for provider in (scripted_provider("openai"), ambient):
        host = {"Host": "localhost"}
        assert await refusal(provider, "192.0.2.7", host, allow=False) is None


async def test_it_is_refused_before_the_provider_and_before_the_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("bedrock", files=files), secret_key_travels=True)
    monkeypatch.setattr(web.Request, "remote", property(lambda _: "192.0.2.7"))
    headers = {"x-goog-api-key": "AKIA:secret", "Expect": "100-continue"}
    async with running_chain(provider) as client:
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 403
            message = (await reply.json())["error"]["message"]
            assert "secret key" in message
            assert message.endswith("or set FERRY_ALLOW_PLAINTEXT=true")
            assert "AKIA" not in await reply.text()
    assert files.calls == []


@pytest.mark.parametrize(("key", "status"), [("x", 401), ("token-of-ann", None)])
async def test_a_caller_that_is_not_a_tenant_is_refused_before_the_body(
    key: str, status: int | None
) -> None:
    provider = replace(scripted_provider("openai"), own_credential=Credential(api_key="sk-own"))
    async with running_chain(provider, tokens=["token-of-ann"]) as client:
        assert client.app is not None
        headers = {"Expect": "100-continue", "x-goog-api-key": key}
        request = make_mocked_request("POST", "/genai/v1/files", headers, app=client.app)
        response = await expect(request)
    assert (response.status if response else None) == status


# --- the owner of a key ---------------------------------------------------------------------------


OPENAI = "sk-proj-abcDEF123"
ANTHROPIC = "sk-ant-api03-abcDEF123"
AWS = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI"
TEMPORARY = "ASIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI:token"
BEDROCK_API_KEY = "ABSKabcDEF123="
GOOGLE = "AIza" + "b" * 35
OAUTH = "ya29.abcDEF123"


FORMS = {
    "gemini": gemini.KEY_FORMS,
    "openai": openai.KEY_FORMS,
    "anthropic": anthropic.KEY_FORMS,
    "bedrock": bedrock_keys.KEY_FORMS,
}


@pytest.fixture
def kinds() -> Sequence[Provider]:
    """Every kind, with its own forms of keys, and with capabilities that record calls."""
    return [
        replace(scripted_provider(name, files=Scripted(lambda *_: Page([]))), key_forms=forms)
        for name, forms in FORMS.items()
    ]


def carried(how: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the query of a request with that key."""
    match how:
        case "query":
            return {}, {"key": key}
        case "Authorization":
            return {how: f"Bearer {key}"}, {}
        case _:
            return {how: key}, {}


def calls(kinds: Sequence[Provider]) -> list[str]:
    return [kind.name for kind in kinds if cast(Scripted, kind.files).calls]


@pytest.mark.parametrize("how", ["x-goog-api-key", "Authorization", "query"])
@pytest.mark.parametrize(
    ("key", "default", "owner", "what"),
    [
        (OPENAI, "gemini", "openai", "an OpenAI key"),
        ("sk-abcDEF123", "gemini", "openai", "an OpenAI key"),
        (ANTHROPIC, "gemini", "anthropic", "an Anthropic key"),
        (AWS, "gemini", "bedrock", "a pair of AWS keys"),
        (TEMPORARY, "openai", "bedrock", "a pair of AWS keys"),
        (BEDROCK_API_KEY, "gemini", "bedrock", "a Bedrock API key, which cannot reach S3"),
        (ANTHROPIC, "openai", "anthropic", "an Anthropic key"),
        (OPENAI, "anthropic", "openai", "an OpenAI key"),
        (GOOGLE, "openai", "gemini", "a Google API key"),
        (OAUTH, "bedrock", "gemini", "a Google access token"),
    ],
)
async def test_a_key_that_looks_like_another_providers_needs_the_header(
    kinds: Sequence[Provider], how: str, key: str, default: str, owner: str, what: str
) -> None:
    headers, query = carried(how, key)
    async with running_chain(*kinds, default=default) as client:
        async with client.get("/genai/v1/files", headers=headers, params=query) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["status"]) == (401, "UNAUTHENTICATED")
    assert what in error["message"]
    assert error["message"].endswith(f"set x-model-provider to {owner}")
    assert key not in error["message"]
    assert calls(kinds) == []


@pytest.mark.parametrize("key", [OPENAI, ANTHROPIC, AWS, BEDROCK_API_KEY, GOOGLE, OAUTH])
@pytest.mark.parametrize("asked", ["gemini", "openai", "anthropic", "bedrock"])
async def test_with_the_header_the_clients_choice_counts(
    kinds: Sequence[Provider], key: str, asked: str
) -> None:
    headers = {"x-goog-api-key": key, "x-model-provider": asked}
    async with running_chain(*kinds) as client:
        async with client.get("/genai/v1/files", headers=headers) as reply:
            assert reply.status == 200
    assert calls(kinds) == [asked]


@pytest.mark.parametrize(
    ("key", "default"),
    [
        (GOOGLE, "gemini"),
        (OAUTH, "gemini"),
        (OPENAI, "openai"),
        (ANTHROPIC, "anthropic"),
        (AWS, "bedrock"),
        ("a-key-of-no-known-form", "gemini"),
        ("AKIA", "gemini"),
        ("AIza", "openai"),
        ("risk-of-nothing", "gemini"),
    ],
)
async def test_its_own_key_or_an_unknown_one_goes_to_the_default(
    kinds: Sequence[Provider], key: str, default: str
) -> None:
    async with running_chain(*kinds, default=default) as client:
        async with client.get("/genai/v1/files", headers={"x-goog-api-key": key}) as reply:
            assert reply.status == 200
    assert calls(kinds) == [default]


async def test_every_name_of_the_kind_is_listed(kinds: Sequence[Provider]) -> None:
    further = next(replace(kind, name="local") for kind in kinds if kind.name == "openai")
    async with running_chain(*kinds, further, default="gemini") as client:
        async with client.get("/genai/v1/files", headers={"x-goog-api-key": OPENAI}) as reply:
            message = (await reply.json())["error"]["message"]
    assert message.endswith("set x-model-provider to local or openai")


async def test_the_form_of_a_client_token_does_not_matter(kinds: Sequence[Provider]) -> None:
    lending = [replace(kind, own_credential=Credential(api_key="own")) for kind in kinds]
    async with running_chain(*lending, tokens=[OPENAI]) as client:
        async with client.get("/genai/v1/files", headers={"x-goog-api-key": OPENAI}) as reply:
            assert reply.status == 200
    assert calls(kinds) == [kinds[0].name]
