"""Which tenant a credential is, at one upstream."""

import secrets
from collections.abc import Mapping

from middlewares.header_text import header_text
from providers.credential import Caller, Credential, tenant_of
from providers.errors import unavailable
from providers.provider import Provider
from providers.state import State, read, write


class Tenants:
    """Computes tenants under a salt that is written once into the state store."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._salt: bytes | None = None

    async def caller(
        self, provider: Provider, credential: Credential, headers: Mapping[str, str]
    ) -> Caller:
        """The caller at `provider`, with those of the inbound `headers` that it lets through."""
        passed = {k: header_text(headers[k]) for k in provider.passed_headers if k in headers}
        scoping = {k: v for k, v in passed.items() if k in provider.scoping_headers}
        tenant = tenant_of(await self.salt(), provider.name, credential, scoping)
        return Caller(credential, tenant, passed)

    async def salt(self) -> bytes:
        if self._salt is None:
            await write(self._state, "salt", secrets.token_bytes(32))
            self._salt = await read(self._state, "salt")
        if self._salt is None:
            raise unavailable("the state store lost the salt that was just written")
        return self._salt
