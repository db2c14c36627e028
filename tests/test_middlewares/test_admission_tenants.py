"""Which key belongs to which tenant, and who may use the proxy's own credential.

Client tokens are never sent upstream.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiohttp.test_utils import make_mocked_request

from middlewares.admission import Admission
from middlewares.clients import Clients, bare_client, named_client
from middlewares.public_address import PublicAddress
from middlewares.sealing import SealedUpload, UploadUrls
from providers.credential import Caller, Credential
from providers.errors import FerryError, NotFound
from providers.provider import Provider
from providers.resources import Page
from providers.state import StateError, write
from providers.status import Status
from providers.stored_objects import SALT
from tests.memory_state import MemoryState
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

CALLERS = scripted_provider("openai")
OWN = Credential(api_key="sk-own")
LENDING = replace(CALLERS, own_credential=OWN)
TOKENS = ("token-of-ann", "token-of-bob")
ANN, BOB = (Credential(api_key=token) for token in TOKENS)
SCOPE = {"x-scope": "s"}


def admission(state: MemoryState, *tokens: str) -> Admission:
    providers = {provider.name: provider for provider in (CALLERS,)}
    urls = UploadUrls(["a-secret-of-good-length"], state, ttl=60)
    clients = Clients({token: bare_client(token) for token in tokens})
    return Admission(providers, clients, None, PublicAddress(None, ()), urls, state)


async def caller_of(
    admits: Admission, provider: Provider, given: Credential, headers: Mapping[str, str]
) -> Caller:
    client = admits.check(make_mocked_request("GET", "/", {"Host": "localhost"}), provider, given)
    caller = admits.identify(provider, client, given, headers)
    return await admits.with_tenant(provider, client, caller)


async def reopens(
    admits: Admission,
    provider: Provider,
    given: Credential,
    tenant: str,
    scoping: Mapping[str, str],
) -> bool:
    """Whether the upload URL of `tenant` opens for a request with that key."""
    upload = SealedUpload("session", tenant, provider.name, 2_000_000_000, {}, scoping)
    request = make_mocked_request("POST", "/genai/upload/v1beta/files")
    try:
        session, _ = await admits.reopen(request, provider, upload, given)
    except NotFound:
        return False
    assert session.tenant == tenant
    return True


async def test_a_tenant_depends_only_on_its_token_and_scope() -> None:
    both = admission(MemoryState(), *TOKENS)
    ann = (await caller_of(both, LENDING, ANN, SCOPE)).tenant
    assert await reopens(both, LENDING, ANN, ann, SCOPE)
    assert not await reopens(both, LENDING, ANN, ann, {})
    assert not await reopens(both, LENDING, BOB, ann, SCOPE)
    assert not await reopens(both, LENDING, OWN, ann, SCOPE)


async def test_a_chunk_without_a_key_is_accepted_while_its_token_is_valid() -> None:
    state, none = MemoryState(), Credential()
    ann = (await caller_of(admission(state, *TOKENS), LENDING, ANN, SCOPE)).tenant
    assert await reopens(admission(state, TOKENS[0]), LENDING, none, ann, SCOPE)
    assert not await reopens(admission(state, TOKENS[1]), LENDING, none, ann, SCOPE)
    assert not await reopens(admission(state, TOKENS[0]), LENDING, none, ann, {})
    assert not await reopens(admission(state), LENDING, none, ann, SCOPE)


async def test_an_upload_goes_on_after_the_token_of_its_client_was_replaced() -> None:
    state, none = MemoryState(), Credential()
    before, after = admission(state), admission(state)
    before.clients = Clients({"old": named_client("ann")})
    after.clients = Clients({"new": named_client("ann")})
    ann = (await caller_of(before, LENDING, Credential("old"), {})).tenant
    assert (await caller_of(after, LENDING, Credential("new"), {})).tenant == ann
    assert await reopens(after, LENDING, none, ann, {})
    assert await reopens(after, LENDING, Credential("new"), ann, {})
    assert not await reopens(after, LENDING, Credential("old"), ann, {})
    after.clients = Clients({"new": named_client("ann", frozenset({"anthropic"}))})
    assert not await reopens(after, LENDING, none, ann, {})


async def test_tokens_do_not_affect_a_provider_with_the_callers_key() -> None:
    state = MemoryState()
    caller = await caller_of(admission(state, TOKENS[0]), CALLERS, BOB, {})
    assert caller == await caller_of(admission(state), CALLERS, BOB, {})
    assert caller.credential == BOB
    assert await reopens(admission(state), CALLERS, Credential(), caller.tenant, {})


@pytest.mark.parametrize("own", [OWN, Credential()])
async def test_the_caller_has_the_proxys_own_credential_even_an_empty_one(own: Credential) -> None:
    provider = replace(CALLERS, own_credential=own)
    caller = await caller_of(admission(MemoryState(), TOKENS[0]), provider, ANN, {})
    assert caller.credential == own


# --- client tokens -------------------------------------------------------------------------------


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
async def test_a_token_is_compared_as_a_whole(given: Credential, known: bool) -> None:
    admits = admission(MemoryState(), *TOKENS)
    if known:
        token = Credential(api_key=given.secret)
        assert await caller_of(admits, LENDING, given, {}) == await caller_of(
            admits, LENDING, token, {}
        )
        return
    with pytest.raises(FerryError) as caught:
        await caller_of(admits, LENDING, given, {})
    assert caught.value.status == Status.UNAUTHENTICATED
    assert not given.secret or given.secret not in str(caught.value)


async def test_without_tokens_all_callers_are_one_tenant() -> None:
    admits = admission(MemoryState())
    ann, bob = Credential(api_key="a"), Credential(bearer="b")
    assert await caller_of(admits, LENDING, ann, {}) == await caller_of(admits, LENDING, bob, {})


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"x-goog-api-key": TOKENS[0]}),
        (f"?key={TOKENS[0]}", {}),
        ("", {"Authorization": f"Bearer {TOKENS[0]}"}),
    ],
)
async def test_a_token_uses_the_proxys_own_credential(query: str, headers: dict[str, str]) -> None:
    files = Scripted(lambda *_: Page([]))
    provider = replace(scripted_provider("openai", files=files), own_credential=OWN)
    async with running_chain(provider, tokens=TOKENS) as client:
        async with client.get(f"/genai/v1/files{query}", headers=headers) as reply:
            assert reply.status == 200
    assert files.caller.credential == OWN


@pytest.mark.parametrize("headers", [{}, {"x-goog-api-key": "sk-own"}, {"x-goog-api-key": "x"}])
async def test_other_callers_cannot_use_the_own_credential(headers: dict[str, str]) -> None:
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


async def test_a_token_is_a_tenant() -> None:
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


async def test_a_provider_with_the_callers_key_needs_no_token() -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files), tokens=TOKENS) as client:
        async with client.get("/genai/v1/files", headers={"x-goog-api-key": "sk-mine"}) as reply:
            assert reply.status == 200
    assert files.caller.credential == Credential(api_key="sk-mine")


@pytest.mark.parametrize("size", [0, 31, 33])
async def test_a_damaged_salt_makes_no_tenant(size: int) -> None:
    state = MemoryState()
    await write(state, SALT.name(), bytes(size))
    with pytest.raises(StateError, match="not what the proxy writes there"):
        await caller_of(admission(state, *TOKENS), LENDING, ANN, SCOPE)
