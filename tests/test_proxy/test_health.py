import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from providers.state import ObjectInfo
from proxy.health import Health, Phase
from tests.memory_state import MemoryState


class Broken(MemoryState):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._error = error

    async def head(self, name: str) -> ObjectInfo | None:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        raise AssertionError


class SlowStart(MemoryState):
    """The proxy has started before this store answers."""

    health: Health

    async def head(self, _: str) -> ObjectInfo | None:
        self.health.phase = Phase.SERVING
        return None


async def ready(aiohttp_client: AiohttpClient, health: Health) -> tuple[int, dict[str, str]]:
    app = web.Application()
    app.add_routes(health.routes())
    client: TestClient[web.Request, web.Application] = await aiohttp_client(app)
    async with client.get("/readyz") as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("phase", "status"), [(Phase.STARTING, 503), (Phase.SERVING, 200), (Phase.DRAINING, 503)]
)
async def test_only_a_serving_proxy_is_ready(
    aiohttp_client: AiohttpClient, phase: Phase, status: int
) -> None:
    health = Health(None)
    health.phase = phase
    expected = (status, {"status": phase.value, "state": "none"})
    assert await ready(aiohttp_client, health) == expected


@pytest.mark.parametrize(
    ("error", "name"), [(OSError("/secret/path"), "OSError"), (None, "TimeoutError")]
)
async def test_a_broken_store_is_named_and_fails_no_probe(
    aiohttp_client: AiohttpClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    name: str,
) -> None:
    monkeypatch.setattr("proxy.health.PROBE_SECONDS", 0.01)
    health = Health(Broken(error))
    health.phase = Phase.SERVING
    expected = (200, {"status": "serving", "state": f"degraded: {name}"})
    assert await ready(aiohttp_client, health) == expected


async def test_the_answer_is_of_one_moment(aiohttp_client: AiohttpClient) -> None:
    """A store may take longer to answer than the start takes."""
    store = SlowStart()
    health = store.health = Health(store)
    assert await ready(aiohttp_client, health) == (200, {"status": "serving", "state": "ok"})
