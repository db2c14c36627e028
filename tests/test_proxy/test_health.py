import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from providers.body import Body
from proxy.health import Health, Phase
from proxy.state_probe import StateProbe
from tests.memory_state import MemoryState


async def ready(
    aiohttp_client: AiohttpClient, health: Health, probe: StateProbe | None = None
) -> tuple[int, dict[str, str]]:
    app = web.Application()
    app.add_routes(health.routes())
    if probe is not None:
        app.cleanup_ctx.append(probe.running)
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


async def test_a_store_that_works_is_ok(aiohttp_client: AiohttpClient) -> None:
    probe = StateProbe(MemoryState())
    health = Health(probe)
    health.phase = Phase.SERVING
    expected = (200, {"status": "serving", "state": "ok"})
    assert await ready(aiohttp_client, health, probe) == expected


class SlowStart(MemoryState):
    """The proxy has started before this store answers."""

    health: Health

    async def create(self, name: str, body: Body) -> bool:
        self.health.phase = Phase.SERVING
        return await super().create(name, body)


async def test_the_answer_is_of_one_moment(aiohttp_client: AiohttpClient) -> None:
    """A store may take longer to answer than the start takes."""
    store = SlowStart()
    probe = StateProbe(store)
    health = store.health = Health(probe)
    expected = (200, {"status": "serving", "state": "ok"})
    assert await ready(aiohttp_client, health, probe) == expected
