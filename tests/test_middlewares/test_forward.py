"""What an operation's upstream says about the caller's credential is remembered."""

from middlewares.clients import bare_client
from providers.credential import Credential
from tests.test_middlewares.running_proxy import GEMINI_KEY, OPENAI_KEY, RunningProxy

FILES = "/genai/v1beta/files"


async def tenant(proxy: RunningProxy, provider: str, key: str) -> str:
    gateway, given = proxy.gateway, Credential(key)
    at, client = gateway.providers[provider], bare_client(key)
    caller = gateway.admission.identify(at, client, given, {})
    return (await gateway.admission.with_tenant(at, client, caller)).known_as


async def test_a_list_accepts_the_caller_at_this_provider_only(proxy: RunningProxy) -> None:
    known = proxy.gateway.known_credentials
    openai = await tenant(proxy, "openai", OPENAI_KEY)
    assert not known.accepted(openai)
    assert (await proxy.ask("GET", FILES)).status == 200
    assert known.accepted(openai)
    assert not known.accepted(await tenant(proxy, "anthropic", OPENAI_KEY))
    assert not known.accepted(await tenant(proxy, "openai", f"{OPENAI_KEY}-of-another"))


async def test_a_relayed_call_accepts_the_caller(proxy: RunningProxy) -> None:
    headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
    assert (await proxy.ask("GET", FILES, headers)).status == 200
    assert proxy.gateway.known_credentials.accepted(await tenant(proxy, "gemini", GEMINI_KEY))


async def test_a_refused_key_is_remembered(proxy: RunningProxy) -> None:
    key = "not-a-key-of-openai"
    answer = await proxy.ask("GET", FILES, {"x-goog-api-key": key})
    assert answer.status == 401
    known, caller = proxy.gateway.known_credentials, await tenant(proxy, "openai", key)
    assert known.refused(caller)
    assert not known.accepted(caller)


async def test_a_call_that_never_reaches_the_provider_says_nothing(proxy: RunningProxy) -> None:
    answer = await proxy.ask("GET", f"{FILES}?pageSize=many")
    answer.refused(400, "INVALID_ARGUMENT")
    assert not proxy.gateway.known_credentials.accepted(await tenant(proxy, "openai", OPENAI_KEY))
