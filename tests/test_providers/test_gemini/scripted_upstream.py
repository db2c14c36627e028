"""An upstream with scripted answers, which keeps the requests that it got."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from multidict import CIMultiDict, CIMultiDictProxy

from providers.body import Body, in_memory
from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError


@dataclass(frozen=True)
class Answer:
    """`takes`: how many bytes of the request's body are read; all of them by default."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    takes: int | None = None


@dataclass(frozen=True)
class Failure:
    """The exchange ends in `error` after `takes` bytes of the request's body."""

    error: Exception
    takes: int | None = None


@dataclass(frozen=True)
class Sent:
    request: OutboundRequest
    body: bytes

    @property
    def command(self) -> str:
        return self.request.headers.get("X-Goog-Upload-Command", "")

    @property
    def offset(self) -> str:
        return self.request.headers.get("X-Goog-Upload-Offset", "")


class ScriptedReply:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.closed = False

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return CIMultiDictProxy(CIMultiDict(self._answer.headers))

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._answer.body

    async def read(self, limit: int) -> bytes:
        if len(self._answer.body) > limit:
            raise UpstreamError(Status.UNAVAILABLE, "too long")
        return self._answer.body

    async def aclose(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class ScriptedUpstream:
    """Fails for a request beyond the script; `done` means that every answer was used."""

    def __init__(self, *script: Answer | Failure) -> None:
        self._script = list(script)
        self.sent: list[Sent] = []
        self.replies: list[ScriptedReply] = []

    @property
    def done(self) -> bool:
        return not self._script and all(reply.closed for reply in self.replies)

    @property
    def commands(self) -> list[str]:
        return [sent.command for sent in self.sent]

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        step = self._script.pop(0)
        self.sent.append(Sent(request, await _take(request.body, step.takes)))
        if isinstance(step, Failure):
            raise step.error
        self.replies.append(ScriptedReply(step))
        return self.replies[-1]


async def _take(body: Body | bytes | None, limit: int | None) -> bytes:
    body = in_memory(body or b"") if not isinstance(body, Body) else body
    taken = b""
    source = aiter(body.chunks)
    while limit is None or len(taken) < limit:
        try:
            taken += await anext(source)
        except StopAsyncIteration:
            break
    if limit is None and body.length is not None:
        assert len(taken) == body.length
    return taken


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def in_pieces(data: bytes, size: int = 10) -> Body:
    return Body(pieces(data, size), len(data))
