"""Who may use the proxy's own credential. Tokens are never sent upstream."""

from dataclasses import replace

import pytest

from middlewares.client_tokens import ClientTokens
from providers.credential import Credential
from providers.errors import FerryError
from providers.resources import Page
from providers.status import Status
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

TOKENS = ("token-of-ann", "token-of-bob")
OWN = Credential(api_key="sk-own")


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (Credential(api_key="token-of-ann"), True),
        (Credential(bearer="token-of-bob"), True),
        (Credential(api_key="token-of-bob", bearer="anything"), True),
        (Credential(api_key="anything", bearer="token-of-bob"), False),
        (Credential(api_key="token-of-an"), False),
        (Credential(api_key="token-of-ann "), False),
        (Credential(api_key="token-of-ann,token-of-bob"), False),
        (Credential(), False),
    ],
)
def test_a_token_is_known_whole(given: Credential, known: bool) -> None:
    tokens = ClientTokens(TOKENS)
    if known:
        assert tokens.principal(given) == Credential(api_key=given.secret)
        return
    with pytest.raises(FerryError) as caught:
        tokens.principal(given)
    assert caught.value.status == Status.UNAUTHENTICATED
    assert not given.secret or given.secret not in str(caught.value)


def test_without_tokens_all_are_one() -> None:
    tokens = ClientTokens()
    assert tokens.principal(Credential(api_key="a")) == tokens.principal(Credential(bearer="b"))
    assert tokens.principals == [Credential()]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"x-goog-api-key": TOKENS[0]}),
        (f"?key={TOKENS[0]}", {}),
        ("", {"Authorization": f"Bearer {TOKENS[0]}"}),
    ],
)
async def test_the_own_credential_is_spent_for_a_token(query: str, headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=OWN)
    async with running_chain(provider, tokens=TOKENS) as client:
        async with client.get(f"/genai/v1/files{query}", headers=headers) as reply:
            assert reply.status == 200
    assert files.caller.credential == OWN


@pytest.mark.parametrize("headers", [{}, {"x-goog-api-key": "sk-own"}, {"x-goog-api-key": "x"}])
async def test_nobody_else_spends_it(headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=OWN)
    async with running_chain(provider, tokens=TOKENS) as client:
        async with client.get("/genai/v1/files", headers=headers) as reply:
            text = await reply.text()
            assert reply.status == 401, text
        # Callers without a token do not learn which calls exist, or who owns a name.
        async with client.get("/genai/v1/caches", headers=headers) as reply:
            assert reply.status == 401
    assert files.calls == []
    assert not any(secret in text for secret in (*TOKENS, "sk-own"))


async def test_a_token_is_a_tenant_and_no_token_needs_no_key_of_its_own() -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=OWN)
    tenants = []
    for tokens in (TOKENS, ()):
        async with running_chain(provider, tokens=tokens) as client:
            for key in TOKENS:
                await client.get("/genai/v1/files", headers={"x-goog-api-key": key})
                tenants.append(files.caller.tenant)
    assert tenants[0] != tenants[1]
    assert tenants[2] == tenants[3]


async def test_where_the_callers_key_passes_through_no_token_is_asked_for() -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files), tokens=TOKENS) as client:
        async with client.get("/genai/v1/files", headers={"x-goog-api-key": "sk-mine"}) as reply:
            assert reply.status == 200
    assert files.caller.credential == Credential(api_key="sk-mine")
