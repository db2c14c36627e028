"""Which key belongs to which tenant, at a provider with the proxy's own credential."""

from dataclasses import replace

import pytest

from middlewares.client_tokens import ClientTokens
from middlewares.tenants import Tenants
from providers.credential import Credential
from tests.memory_state import MemoryState
from tests.test_middlewares.running_chain import scripted_provider

CALLERS = scripted_provider("openai")
LENDING = replace(CALLERS, own_credential=Credential(api_key="sk-own"))
ANN, BOB = Credential(api_key="token-of-ann"), Credential(api_key="token-of-bob")
SCOPE = {"x-scope": "s"}


def tenants(state: MemoryState, *tokens: Credential) -> Tenants:
    return Tenants(state, ClientTokens([token.secret for token in tokens]))


async def test_a_tenant_holds_its_own_token_and_scope_alone() -> None:
    state = MemoryState()
    both = tenants(state, ANN, BOB)
    ann = (await both.caller(LENDING, ANN, SCOPE)).tenant
    assert await both.is_key_of(LENDING, ANN, ann, SCOPE)
    assert not await both.is_key_of(LENDING, ANN, ann, {})
    assert not await both.is_key_of(LENDING, BOB, ann, SCOPE)
    assert not await both.is_key_of(LENDING, Credential(api_key="sk-own"), ann, SCOPE)


async def test_who_shows_no_key_spends_while_its_token_is_one() -> None:
    state = MemoryState()
    ann = (await tenants(state, ANN, BOB).caller(LENDING, ANN, SCOPE)).tenant
    assert await tenants(state, ANN).may_still_use(LENDING, ann, SCOPE)
    assert not await tenants(state, BOB).may_still_use(LENDING, ann, SCOPE)
    assert not await tenants(state, ANN).may_still_use(LENDING, ann, {})
    assert not await tenants(state).may_still_use(LENDING, ann, SCOPE)


async def test_where_the_callers_key_passes_through_tokens_change_nothing() -> None:
    state = MemoryState()
    caller = await tenants(state, ANN).caller(CALLERS, BOB, {})
    assert caller == await tenants(state).caller(CALLERS, BOB, {})
    assert caller.credential == BOB
    assert await tenants(state).may_still_use(CALLERS, caller.tenant, {})


@pytest.mark.parametrize("own", [Credential(api_key="sk-own"), Credential()])
async def test_the_caller_has_the_own_credential_even_an_empty_one(own: Credential) -> None:
    provider = replace(CALLERS, own_credential=own)
    caller = await tenants(MemoryState(), ANN).caller(provider, ANN, {})
    assert caller.credential == own
