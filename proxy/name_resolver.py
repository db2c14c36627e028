"""Looks up the names of upstreams, and tells a name that is gone for a moment from a wrong one."""

import socket
from typing import Final

from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult

# A client may choose its bucket, and with it a name.
_NAMES_REMEMBERED: Final = 1024


class NameResolver(ThreadedResolver):
    """A name that was found before and is not found now may come back.

    That happens while a container is replaced, or when a service in Kubernetes has no ready pod.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises gaierror, with EAI_AGAIN for what may pass."""
        try:
            addresses = await super().resolve(host, port, family)
        except socket.gaierror:
            if host in self._found:
                raise socket.gaierror(socket.EAI_AGAIN, "not found for now") from None
            raise
        if len(self._found) < _NAMES_REMEMBERED:
            self._found.add(host)
        return addresses
