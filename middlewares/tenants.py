"""Computes which tenant a credential belongs to, at one upstream."""

import secrets
from collections.abc import Mapping

from middlewares.client_tokens import ClientTokens
from middlewares.header_text import header_text
from providers.credential import Caller, Credential, tenant_of
from providers.errors import FerryError, unavailable
from providers.provider import Provider
from providers.state import State, read, write


class Tenants:
    """Computes tenants under a salt that is written once into the state store."""

    def __init__(self, state: State, client_tokens: ClientTokens) -> None:
        self._state = state
        self._client_tokens = client_tokens
        self._salt: bytes | None = None

    def principal(self, provider: Provider, given: Credential) -> Credential:
        """The credential that identifies the tenant; it may differ from the one sent upstream.

        Raises UNAUTHENTICATED if `given` may not use the provider's own credential.
        """
        own = provider.own_credential is not None
        return self._client_tokens.principal(given) if own else given

    async def caller(
        self, provider: Provider, given: Credential, headers: Mapping[str, str]
    ) -> Caller:
        """The caller at `provider`, with the inbound `headers` that it passes on.

        Its credential is the provider's own, if it has one: client tokens are never sent upstream.
        """
        passed = {k: header_text(headers[k]) for k in provider.passed_headers if k in headers}
        tenant = await self._tenant(provider, self.principal(provider, given), passed)
        own = provider.own_credential
        return Caller(given if own is None else own, tenant, passed)

    async def is_key_of(
        self, provider: Provider, given: Credential, tenant: str, scoping: Mapping[str, str]
    ) -> bool:
        """Whether `given`, with the `scoping` headers, is `tenant`'s key at `provider`."""
        try:
            principal = self.principal(provider, given)
        except FerryError:
            return False
        return await self._tenant(provider, principal, scoping) == tenant

    async def may_still_use(
        self, provider: Provider, tenant: str, scoping: Mapping[str, str]
    ) -> bool:
        """Whether `tenant`, without sending its key, may still use the credential of `provider`.

        False if its client token was removed since the upload started, or if there were no client
        tokens at that time.
        """
        if provider.own_credential is None:
            return True
        principals = self._client_tokens.principals
        tenants = [await self._tenant(provider, who, scoping) for who in principals]
        return tenant in tenants

    async def _tenant(
        self, provider: Provider, principal: Credential, headers: Mapping[str, str]
    ) -> str:
        scoping = {k: v for k, v in headers.items() if k in provider.scoping_headers}
        return tenant_of(await self.salt(), provider.name, principal, scoping)

    async def salt(self) -> bytes:
        if self._salt is None:
            await write(self._state, "salt", secrets.token_bytes(32))
            self._salt = await read(self._state, "salt")
        if self._salt is None:
            raise unavailable("the state store lost the salt immediately after it was written")
        return self._salt
