"""`/healthz`, `/readyz` and `/metrics`, on the admin port, or on the main port before the chain."""

import asyncio
from collections.abc import Awaitable
from enum import StrEnum
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from providers.state import State, StateError
from providers.stored_objects import SALT
from proxy.metrics_page import MetricsPage

# The state store that `/readyz` checks; the composition root sets it.
STATE: Final[web.AppKey[State]] = web.AppKey("state")

PROBE_SECONDS: Final = 2.0


class Phase(StrEnum):
    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class Health:
    def __init__(self, state: State | None, metrics: MetricsPage | None = None) -> None:
        self.phase = Phase.STARTING
        self._state = state
        self._answers = {"/healthz": self._alive, "/readyz": self._ready}
        if metrics is not None:
            self._answers["/metrics"] = metrics.answer

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, answer) for path, answer in self._answers.items()]

    def middleware(self) -> Middleware:
        """Answers before the chain, since a probe is not a client's request."""

        @web.middleware
        async def health(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await (self.answer_to(request) or handler(request))

        return health

    def answer_to(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse] | None:
        """The answer, if `request` asks for health or for metrics."""
        answer = self._answers.get(request.path) if request.method in {"GET", "HEAD"} else None
        return answer and answer(request)

    async def _alive(self, _: web.BaseRequest) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _ready(self, _: web.BaseRequest) -> web.Response:
        """A degraded store fails no probe: Gemini works without one (contract.md section 2)."""
        state, phase = await self._state_store(), self.phase
        body = {"status": str(phase), "state": state}
        return web.json_response(body, status=200 if phase is Phase.SERVING else 503)

    async def _state_store(self) -> str:
        if self._state is None:
            return "none"
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._state.head(SALT.name())
        except StateError as error:
            return f"degraded: {error.message}"
        except Exception as error:
            return f"degraded: {type(error).__name__}"
        return "ok"
