"""`/healthz`, `/readyz` and `/metrics`, on the admin port, or on the main port before the chain."""

from collections.abc import Awaitable
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.metrics_page import MetricsPage
from proxy.state_probe import StateProbe


class Phase(StrEnum):
    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class Health:
    def __init__(self, probe: StateProbe | None, metrics: MetricsPage | None = None) -> None:
        self.phase = Phase.STARTING
        self._probe = probe
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
        state = "none" if self._probe is None else await self._probe.found()
        phase = self.phase
        body = {"status": str(phase), "state": state}
        return web.json_response(body, status=200 if phase is Phase.SERVING else 503)
