"""Clients on the proxy's own credentials: one tenant for all tokens of a name, and its limits."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request

from middlewares.chain import expect
from middlewares.clients import CallLimit, Client, Clients, bare_client, named_client
from providers.credential import Caller, Credential, tenant_of
from providers.errors import FerryError
from providers.resources import Page
from proxy.log_lines import json_lines
from tests.test_middlewares.running_chain import Client as Http
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

FILES = "/genai/v1beta/files"
ACME = named_client("acme")
TOKENS = {"old": ACME, "new": ACME, "bare": bare_client("bare"), "other": named_client("other")}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def lending(tokens: dict[str, Client]) -> AsyncIterator[tuple[Http, Scripted]]:
    files = Scripted(lambda *_: Page([]))
    openai, anthropic = (
        replace(scripted_provider(name, files=files), own_credential=Credential("own"))
        for name in ("openai", "anthropic")
    )
    async with running_chain(openai, anthropic, clients=Clients(tokens)) as client:
        yield client, files


async def callers(tokens: Sequence[str]) -> list[Caller]:
    found = []
    async with lending(TOKENS) as (client, files):
        for token in tokens:
            async with client.get(FILES, headers={"x-goog-api-key": token}) as answer:
                assert answer.status == 200, token
            found.append(files.caller)
    return found


async def test_all_tokens_of_a_name_are_one_tenant() -> None:
    old, new, bare, other = await callers(["old", "new", "bare", "other"])
    assert old == new
    assert len({caller.tenant for caller in (old, bare, other)}) == 3


def test_a_token_without_a_name_keeps_its_tenant() -> None:
    """What was stored before names existed stays reachable."""
    principal = Clients(TOKENS).of(Credential("bare")).principal
    assert principal == Credential("bare")
    before = tenant_of(b"salt", "openai", Credential("bare"), {})
    assert tenant_of(b"salt", "openai", principal, {}) == before


def test_no_token_is_the_tenant_of_a_name() -> None:
    clients = Clients({**TOKENS, "acme": bare_client("acme")})
    assert clients.of(Credential("acme")).principal != ACME.principal
    assert " " in ACME.principal.secret, "no token has a space"
    with pytest.raises(FerryError) as refused:
        clients.of(ACME.principal)
    assert refused.value.code == 401


def test_without_tokens_all_callers_are_one_client() -> None:
    clients = Clients({})
    assert not clients
    assert clients.of(Credential("a")) == clients.of(Credential("b"))
    assert clients.all() == [clients.of(Credential("a"))]


def test_a_client_is_listed_once() -> None:
    assert [client.name for client in Clients(TOKENS).all()] == ["acme", "", "other"]


async def test_a_client_may_use_only_its_providers() -> None:
    limited = named_client("acme-team", frozenset({"openai"}))
    async with lending({"token": limited, "free": bare_client("free")}) as (client, files):
        for provider, token, status in (
            ("openai", "token", 200),
            ("anthropic", "token", 403),
            ("anthropic", "free", 200),
        ):
            headers = {"x-goog-api-key": token, "x-model-provider": provider}
            async with client.get(FILES, headers=headers) as answer:
                body = await answer.json()
            assert answer.status == status, body
            if status == 403:
                assert body["error"]["status"] == "PERMISSION_DENIED"
                assert body["error"]["message"] == (
                    "the client acme-team may not use anthropic "
                    "(FERRY_CLIENTS__ACME_TEAM__PROVIDERS)"
                )
    assert len(files.calls) == 2


async def test_a_client_that_may_not_use_the_provider_is_refused_before_the_body() -> None:
    limited = named_client("acme", frozenset({"openai"}))
    async with lending({"token": limited}) as (client, _):
        assert client.app is not None
        for provider, status in (("openai", None), ("anthropic", 403)):
            headers = {
                "Expect": "100-continue",
                "x-goog-api-key": "token",
                "x-model-provider": provider,
            }
            request = make_mocked_request("POST", FILES, headers, app=client.app)
            response = await expect(request)
            assert (response.status if response else None) == status


async def test_a_client_may_make_only_so_many_calls_a_minute() -> None:
    clock = Clock()
    acme = named_client("acme", limit=CallLimit(2, clock))
    async with lending({"a": acme, "b": acme, "free": bare_client("free")}) as (client, files):

        async def call(token: str) -> tuple[int, str | None]:
            async with client.get(FILES, headers={"x-goog-api-key": token}) as answer:
                return answer.status, answer.headers.get("Retry-After")

        assert await call("a") == (200, None)
        clock.now = 20
        assert await call("b") == (200, None)
        clock.now = 30.5
        assert await call("a") == (429, "30")
        async with client.get(FILES, headers={"x-goog-api-key": "a"}) as answer:
            assert (await answer.json())["error"]["message"] == (
                "the client acme may make at most 2 calls in a minute "
                "(FERRY_CLIENTS__ACME__CALLS_PER_MINUTE)"
            )
        assert await call("free") == (200, None)
        clock.now = 60
        assert await call("b") == (200, None)
        assert await call("a") == (429, "20")
    assert len(files.calls) == 4


async def test_the_log_names_the_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="genai_ferry.access")
    async with lending({**TOKENS, "barred": named_client("barred", frozenset())}) as (client, _):
        for token, status in (("old", 200), ("new", 200), ("bare", 200), ("barred", 403)):
            async with client.get(FILES, headers={"x-goog-api-key": token}) as answer:
                assert answer.status == status
    lines = [json_lines().format(r) for r in caplog.records if r.name == "genai_ferry.access"]
    assert [orjson.loads(line).get("client") for line in lines] == [
        "acme",
        "acme",
        None,
        "barred",
    ]
    assert "old" not in "".join(lines)


def test_calls_are_counted_within_any_minute() -> None:
    clock = Clock()
    limit, accepted = CallLimit(3, clock), []
    for second in range(240):
        clock.now = float(second)
        if limit.count() == 0:
            accepted.append(second)
    assert all(sum(start <= at < start + 60 for at in accepted) <= 3 for start in range(240))
    assert len(accepted) == 12
