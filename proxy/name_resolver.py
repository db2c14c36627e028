"""Resolves the names of upstreams, and distinguishes a missing name from a wrong one."""

import socket
from typing import Final

from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult

# Bounded, since clients can choose buckets, and with them host names.
_NAMES_REMEMBERED: Final = 1024


class NameResolver(ThreadedResolver):
    """If a name that resolved before is not found now, the error is temporary.

    That happens while a container is replaced, or when a service in Kubernetes has no ready pod.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises gaierror, with EAI_AGAIN if the error is temporary."""
        try:
            addresses = await super().resolve(host, port, family)
        except socket.gaierror:
            if host in self._found:
                raise socket.gaierror(socket.EAI_AGAIN, "not found for now") from None
            raise
        if len(self._found) < _NAMES_REMEMBERED:
            self._found.add(host)
        return addresses
