"""Which single requests are sent again: an answer costs money, so only what was never sent."""

from collections.abc import Awaitable, Callable

import orjson
import pytest

from providers.deadlines import CALL_LIMITS, TimeLimits
from providers.errors import FerryError
from providers.resources import Prompt
from providers.status import Status
from providers.upstream import OutboundRequest, Reply, UpstreamError
from tests.contract.every_operation import MODELS
from tests.contract.provider_with_fake import ProviderWithFake, asking, refused

REFUSED = UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True)
LATE = UpstreamError(Status.DEADLINE_EXCEEDED, "did not accept the connection", unsent=True)
CUT = UpstreamError(Status.UNAVAILABLE, "closed the connection")
SILENT = UpstreamError(Status.DEADLINE_EXCEEDED, "sent nothing")

Ask = Callable[[ProviderWithFake, str], Awaitable[bytes]]


async def generate(work: ProviderWithFake, model: str) -> bytes:
    assert work.provider.prompts is not None
    prompt = Prompt(model, orjson.dumps(asking("hello")))
    return (await work.provider.prompts.generate(work.caller, prompt)).document


async def stream(work: ProviderWithFake, model: str) -> bytes:
    assert work.provider.prompts is not None
    prompt = Prompt(model, orjson.dumps(asking("hello")))
    answer = await work.provider.prompts.stream(work.caller, prompt)
    chunks = [chunk async for chunk in answer.chunks]
    await answer.close()
    return b"".join(chunks)


BOTH = pytest.mark.parametrize("ask", [generate, stream])
PROVIDERS = pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral", "bedrock"])


class Failing:
    """Fails the calls of one provider, then passes them on."""

    def __init__(
        self, work: ProviderWithFake, monkeypatch: pytest.MonkeyPatch, *failures: FerryError
    ) -> None:
        self.calls = 0
        self._failures = list(failures)
        self._send = work.upstream.send
        monkeypatch.setattr(work.upstream, "send", self.send)

    async def send(self, request: OutboundRequest) -> Reply:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        return await self._send(request)


@BOTH
@PROVIDERS
async def test_what_was_never_sent_is_sent_again(
    translating: dict[str, ProviderWithFake],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    ask: Ask,
) -> None:
    work = translating[provider]
    failing = Failing(work, monkeypatch, REFUSED, LATE)
    assert b'"finishReason":"STOP"' in await ask(work, MODELS[provider])
    assert failing.calls == 3


@BOTH
@PROVIDERS
@pytest.mark.parametrize("failure", [CUT, SILENT])
async def test_what_may_have_arrived_is_sent_once(
    translating: dict[str, ProviderWithFake],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    ask: Ask,
    failure: UpstreamError,
) -> None:
    work = translating[provider]
    failing = Failing(work, monkeypatch, failure)
    error = await refused(ask(work, MODELS[provider]))
    assert (error.status, failing.calls) == (failure.status, 1)


@PROVIDERS
async def test_a_repeat_must_fit_into_the_clients_time(
    translating: dict[str, ProviderWithFake], monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    work = translating[provider]
    failing = Failing(work, monkeypatch, REFUSED)
    monkeypatch.setattr("providers.deadlines.time.monotonic", lambda: 1000.0)
    token = CALL_LIMITS.set(TimeLimits().answered_call().within(1, arrived=999))
    error = await refused(generate(work, MODELS[provider]))
    CALL_LIMITS.reset(token)
    assert (error.status, failing.calls) == (Status.UNAVAILABLE, 1)
