"""Under a key that the provider refuses, no operation leaves anything in the state store."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from tenacity import wait_none
from yarl import URL

from providers import retries
from providers.body import Body
from providers.stored_objects import SALT, STORE_CHECK, row_of
from proxy.composition import application
from proxy.kinds import KINDS
from proxy.settings import load
from proxy.state_directory import DirectoryState
from proxy.state_probe import PROBE
from tests.contract.every_operation import GOOD, INLINE, create, operations, start
from tests.fakes.anthropic import anthropic_app
from tests.fakes.bedrock import LONG_TERM, REGION, ROLE_ARN
from tests.fakes.gemini import gemini_app
from tests.fakes.mistral import mistral_app
from tests.fakes.openai import openai_app
from tests.fakes.s3 import FILES_BUCKET
from tests.processes import Process

# Of the right form, but of no account; each number makes another one.
MADE_UP: Final[Mapping[str, Callable[[int], str]]] = {
    "openai": "sk-madeup-{}".format,
    "anthropic": "sk-ant-api03-madeup-{}".format,
    "mistral": "madeup{:026}".format,
    "gemini": "AIza-madeup-{}".format,
    "bedrock": (LONG_TERM.access_key_id + "{}:a-secret-access-key").format,
}
APPS: Final = {
    "openai": openai_app,
    "anthropic": anthropic_app,
    "mistral": mistral_app,
    "gemini": gemini_app,
}
# The call that asks whether a key is valid, by its path at the provider.
CHECKS: Final = {
    "openai": "/v1/models",
    "anthropic": "/v1/models",
    "mistral": "/v1/models",
    "gemini": "/v1beta/models",
}


class Ferry:
    """The whole application with the fakes.

    `stored` are the names of all objects that were ever written, except those of no caller: the
    salt, and the one with which the store itself is tried.
    """

    def __init__(
        self, url: URL, client: ClientSession, fakes: Mapping[str, URL], stored: list[str]
    ) -> None:
        self._url = url
        self._client = client
        self._fakes = fakes
        self.stored = stored

    async def call(
        self,
        provider: str,
        key: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> int:
        """The status of the answer."""
        given = {"x-model-provider": provider, "x-goog-api-key": key, **(headers or {})}
        url = self._url.join(URL(f"/genai/{path}", encoded=True))
        async with self._client.request(method, url, headers=given, data=data) as answer:
            await answer.read()
            return answer.status

    async def asked(self, provider: str) -> int:
        """How often the provider was asked whether the key is valid."""
        query = {"method": "GET", "path": f"^{CHECKS[provider]}$"}
        url = self._fakes[provider].join(URL("/_fake/requests")).with_query(query)
        async with self._client.get(url) as answer:
            return len((await answer.json())["requests"])

    async def strike(self, provider: str, **fault: Any) -> None:
        """Every attempt at the question has this fault."""
        match = {"method": "GET", "path": f"^{CHECKS[provider]}$", "nth": 1, "times": 99}
        url = self._fakes[provider].join(URL("/_fake/faults"))
        async with self._client.post(url, json={"match": match, "fault": fault}) as answer:
            assert answer.status == 200, await answer.text()


@pytest.fixture
async def ferry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bedrock_process: Process
) -> AsyncIterator[Ferry]:
    stored: list[str] = []
    create = DirectoryState.create

    async def recorded_create(state: DirectoryState, name: str, body: Body) -> bool:
        if row_of(name) not in (SALT, STORE_CHECK):
            stored.append(name)
        return await create(state, name, body)

    monkeypatch.setattr(DirectoryState, "create", recorded_create)
    monkeypatch.setattr(retries, "USUAL_PAUSE", wait_none())
    async with AsyncExitStack() as stack:
        settings = {
            "STATE_URL": tmp_path.as_uri(),
            "SECRET_KEY": "a-secret-key-of-good-length",
            "PROVIDERS__BEDROCK__BASE_URL": bedrock_process.url,
            "PROVIDERS__BEDROCK__S3_ENDPOINT_URL": bedrock_process.ready["s3_url"],
            "PROVIDERS__BEDROCK__REGION": REGION,
            "PROVIDERS__BEDROCK__ROLE_ARN": ROLE_ARN,
            "PROVIDERS__BEDROCK__S3_URI": f"s3://{FILES_BUCKET}/a/prefix",
            "PROVIDERS__BEDROCK__SMALL_BATCHES": "immediate",
        }
        fakes = {}
        for name, app in APPS.items():
            fake = await stack.enter_async_context(TestServer(app()))
            fakes[name] = fake.make_url("/")
            base = fakes[name] / "v1" if name in ("openai", "mistral") else fakes[name]
            settings[f"PROVIDERS__{name.upper()}__BASE_URL"] = str(base)
        for name, value in settings.items():
            monkeypatch.setenv(f"FERRY_{name}", value)
        app = application(load(KINDS))
        server = await stack.enter_async_context(TestServer(app))
        await app[PROBE].found()  # the end of a test must not interrupt it
        client = await stack.enter_async_context(ClientSession())
        yield Ferry(server.make_url("/"), client, fakes, stored)


@pytest.mark.parametrize("provider", sorted(MADE_UP))
async def test_under_a_made_up_key_nothing_is_stored(ferry: Ferry, provider: str) -> None:
    for number, operation in enumerate(operations(provider)):
        status = await ferry.call(provider, MADE_UP[provider](number), *operation)
        assert ferry.stored == [], operation
        # 501: the provider has no such call.
        assert 400 <= status < 500 or status == 501, operation


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral", "bedrock"])
async def test_a_start_and_a_create_answer_401_for_a_made_up_key(
    ferry: Ferry, provider: str
) -> None:
    assert await ferry.call(provider, MADE_UP[provider](1), *start("in.jsonl")) == 401
    assert await ferry.call(provider, MADE_UP[provider](2), *create(provider, INLINE)) == 401


@pytest.mark.parametrize("provider", sorted(GOOD))
async def test_a_good_key_starts_an_upload_and_creates_a_batch(ferry: Ferry, provider: str) -> None:
    key = GOOD[provider]
    assert await ferry.call(provider, key, *start("in.jsonl")) == 200
    assert (
        await ferry.call(provider, key, *create(provider, INLINE, x_ferry_idempotency_key="k"))
        == 200
    )
    assert ferry.stored


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
async def test_a_key_is_asked_about_once(ferry: Ferry, provider: str) -> None:
    for _ in range(3):
        assert await ferry.call(provider, GOOD[provider], *start("in.jsonl")) == 200
    assert await ferry.asked(provider) == 1


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
async def test_a_refusal_is_remembered(ferry: Ferry, provider: str) -> None:
    for _ in range(3):
        assert await ferry.call(provider, MADE_UP[provider](1), *start("in.jsonl")) == 401
    assert await ferry.asked(provider) == 1


@pytest.mark.parametrize("provider", ["openai", "mistral"])
async def test_nothing_is_asked_if_the_first_step_is_a_call(ferry: Ferry, provider: str) -> None:
    """An inline batch is first uploaded as a file."""
    assert await ferry.call(provider, GOOD[provider], *create(provider, INLINE)) == 200
    assert await ferry.call(provider, GOOD[provider], *start("in.jsonl")) == 200
    assert await ferry.asked(provider) == 0


async def test_a_start_at_gemini_asks_nothing(ferry: Ferry) -> None:
    assert await ferry.call("gemini", GOOD["gemini"], *start("in.jsonl")) == 200
    assert await ferry.asked("gemini") == 0


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_a_missing_permission_or_call_is_no_refusal(
    ferry: Ferry, provider: str, status: int
) -> None:
    await ferry.strike(provider, kind="status", status=status)
    assert await ferry.call(provider, GOOD[provider], *start("in.jsonl")) == 200


@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral"])
@pytest.mark.parametrize(("status", "answered"), [(429, 429), (500, 503), (503, 503)])
async def test_if_the_provider_cannot_say_nothing_is_stored(
    ferry: Ferry, provider: str, status: int, answered: int
) -> None:
    await ferry.strike(provider, kind="status", status=status)
    assert await ferry.call(provider, GOOD[provider], *start("in.jsonl")) == answered
    assert ferry.stored == []
