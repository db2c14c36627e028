"""A reply whose whole body is in memory."""

from collections.abc import AsyncIterator, Mapping
from typing import Self

from providers.body import once
from providers.status import Status
from providers.upstream import UpstreamError


class BufferedReply:
    """Implements `providers.upstream.Reply`."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self._data = data

    def chunks(self) -> AsyncIterator[bytes]:
        return once(self._data)

    async def read(self, limit: int) -> bytes:
        if len(self._data) > limit:
            raise UpstreamError(Status.UNAVAILABLE, f"Google answered over {limit} bytes")
        return self._data

    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass
