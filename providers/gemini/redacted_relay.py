"""The relay where clients use the proxy's own key: no error of Google's shows it to them.

Google names the key in some refusals, for example `Consumer 'api_key:AIza...' has been suspended`.
Answers are relayed as they arrive; what may be the beginning of the key waits for the next bytes.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final, Self

from multidict import CIMultiDict

from providers.body import read_up_to
from providers.credential import Caller
from providers.provider import Relay, RelayedRequest
from providers.upstream import Reply, invalid_answer

_SHOWN: Final = "***"
_EVENT_STREAM: Final = "text/event-stream"
_COMPRESSION: Final = "accept-encoding"


class RedactedRelay:
    """Implements `providers.provider.Relay` around another one."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() != _COMPRESSION
        }
        reply = await self._relay.relay(caller, replace(request, headers=headers))
        secret = caller.credential.secret
        if secret and (reply.status >= 400 or _is_stream(reply)):
            return _RedactedReply(reply, secret)
        return reply


def _is_stream(reply: Reply) -> bool:
    """Whether an error may be in the middle of this answer."""
    return reply.headers.get("Content-Type", "").lower().startswith(_EVENT_STREAM)


class _RedactedReply:
    """Implements `providers.upstream.Reply`."""

    def __init__(self, reply: Reply, secret: str) -> None:
        self.status = reply.status
        self.headers: Mapping[str, str] = CIMultiDict(
            {
                name: value.replace(secret, _SHOWN)
                for name, value in reply.headers.items()
                if name.lower() != "content-length"
            }
        )
        self._reply = reply
        self._secret = secret.encode()

    async def chunks(self) -> AsyncIterator[bytes]:
        held = b""
        async for chunk in self._reply.chunks():
            text = (held + chunk).replace(self._secret, _SHOWN.encode())
            end = len(text) - _begun(self._secret, text)
            held = text[end:]
            if end:
                yield text[:end]
        if held:
            yield held

    async def read(self, limit: int) -> bytes:
        data = await read_up_to(self.chunks(), limit)
        if data is None:
            raise invalid_answer(f"Google answered over {limit} bytes")
        return data

    async def aclose(self) -> None:
        await self._reply.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


def _begun(secret: bytes, text: bytes) -> int:
    """How many bytes at the end of `text` may be the beginning of `secret`."""
    longest = min(len(secret) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(secret[:size])), 0)
