"""Admission: decides by the key, before any body is read, whether a request is accepted.

The order: `lift_credential` finds the key, `Admission.check` refuses one that must not be used at
the provider, and `Admission.identify` says whose it is. `Admission.with_tenant` adds the tenant,
just before a call that needs the state store: no other call asks for it. A request on an upload URL
needs no key: `Admission.reopen` takes caller and tenant from the URL instead.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from middlewares.clients import Client, Clients
from middlewares.header_text import header_text
from middlewares.public_address import PublicAddress
from middlewares.sealing import SealedUpload, UploadUrls
from providers.credential import Caller, Credential, tenant_of
from providers.errors import FerryError, not_found, unauthenticated, unavailable
from providers.provider import KeyForm, Provider
from providers.state import State, damaged, read, write
from providers.status import Status
from providers.stored_objects import SALT
from providers.upload import UploadSession

_SALT_BYTES: Final = 32


def lift_credential(request: web.Request) -> Credential:
    """The key that the SDK sends (gemini.md section 1). Raises UNAUTHENTICATED if it is invalid."""
    api_key = request.headers.get("x-goog-api-key") or request.query.get("key")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    for secret in (api_key, bearer):
        if secret and not (secret.isascii() and secret.isprintable() and " " not in secret):
            raise unauthenticated("the key contains characters that no provider's key contains")
    return Credential(api_key or None, bearer or None)


def required_credential(request: web.Request) -> Credential:
    """As `lift_credential`; also raises UNAUTHENTICATED if there is no key."""
    credential = lift_credential(request)
    if not credential:
        raise unauthenticated(
            "no key: give the provider's key as the SDK's api_key (x-goog-api-key, ?key= or "
            "Authorization: Bearer)"
        )
    return credential


@dataclass(slots=True)
class Admission:
    """Who may use which provider, and as which tenant.

    `clients` may use the proxy's own credentials; without any, every caller may, and
    all of them are one tenant. `plaintext_keys_setting` is the setting that would let secret keys
    that only sign cross a network without encryption; None if it is on. Tenants are computed under
    a salt that is written once into `state`.
    """

    providers: Mapping[str, Provider]
    clients: Clients
    plaintext_keys_setting: str | None
    public_address: PublicAddress
    upload_urls: UploadUrls
    state: State
    _salt: bytes | None = field(default=None, init=False, repr=False)

    def check(self, request: web.Request, provider: Provider, given: Credential) -> Client:
        """The client that the key identifies.

        Raises UNAUTHENTICATED or PERMISSION_DENIED for a key that must not be used.

        UNAUTHENTICATED: a client token is required and the key is not one, or the client named no
        provider and the key looks like another provider's. PERMISSION_DENIED: a secret key crossed
        a network without encryption, or a web page could have sent the request.
        """
        self._refuse_plaintext_key(request, provider)
        self._refuse_foreign_host(request, provider)
        client = self._client(provider, given)
        if provider.own_credential is None and not request.headers.get("x-model-provider"):
            for key in filter(None, (given.api_key, given.bearer)):
                self._refuse_misdirected(provider, key)
        return client

    def identify(
        self, provider: Provider, client: Client, given: Credential, headers: Mapping[str, str]
    ) -> Caller:
        """The caller at `provider`, with the inbound `headers` that it passes on; no tenant yet.

        Its credential is the provider's own, if it has one: client tokens are never sent upstream.
        """
        passed = {k: header_text(headers[k]) for k in provider.passed_headers if k in headers}
        scoping, own = _scoping(provider, passed), provider.own_credential
        identity = self.upload_urls.identity(provider.name, client.principal, scoping)
        return Caller(given if own is None else own, "", passed, identity)

    async def with_tenant(self, provider: Provider, client: Client, caller: Caller) -> Caller:
        """The identified caller, with the tenant. Raises StateError."""
        tenant = await self._tenant(provider, client.principal, caller.headers)
        return Caller(caller.credential, tenant, caller.headers, caller.identity)

    async def reopen(
        self, request: web.Request, provider: Provider, upload: SealedUpload, given: Credential
    ) -> tuple[UploadSession, Client]:
        """The session of an opened upload URL, and its client.

        A key that comes with it must be the tenant's own.

        Raises NOT_FOUND if it is not, or if since the start its client token was removed or a
        setting changed whose credential is used.
        """
        if given:
            self._refuse_plaintext_key(request, provider)
        client = await self._client_of(provider, upload, given)
        session = await self.upload_urls.session(upload, provider) if client else None
        if session is None or client is None:
            raise unknown_upload_url()
        return session, client

    async def _client_of(
        self, provider: Provider, upload: SealedUpload, given: Credential
    ) -> Client | None:
        """The client that may use an upload URL; None if there is none any more."""
        if not given and provider.own_credential is None:
            return Client(given)
        try:
            # Without a key: one of those who may use the proxy's own credential.
            clients = [self._client(provider, given)] if given else self.clients.all()
        except FerryError:
            return None
        allowed = [client for client in clients if client.may_use(provider.name)]
        if not provider.keeps_state:
            identity, sealed_by = self.upload_urls.identity, upload.opened_by
            for client in allowed:
                known = identity(provider.name, client.principal, upload.scoping, sealed_by)
                if upload.tenant == known:
                    return client
        # An earlier version sealed a tenant into every URL.
        for client in allowed:
            if upload.tenant == await self._tenant(provider, client.principal, upload.scoping):
                return client
        return None

    def _refuse_plaintext_key(self, request: web.Request, provider: Provider) -> None:
        """Refuses a secret key of the caller that crossed a network without encryption.

        Requests never contain the proxy's own secret key.
        """
        if not provider.secret_key_travels or provider.own_credential is not None:
            return
        setting = self.plaintext_keys_setting
        if setting is None or self.public_address.is_protected(request):
            return
        raise FerryError(
            Status.PERMISSION_DENIED,
            "a secret key crossed the network without TLS, so treat it as exposed: give the SDK an "
            "https base_url, served with FERRY_TLS_CERT or by a proxy in front that "
            "FERRY_TRUSTED_PROXIES names and that sends X-Forwarded-Proto: https, or set "
            f"{setting}=true",
        )

    def _refuse_foreign_host(self, request: web.Request, provider: Provider) -> None:
        """Without client tokens, refuses a host that a web page could have made up.

        A page can let a name of its own resolve to this machine, and is then of the proxy's own
        origin for the browser (DNS rebinding). Where callers use their own keys, it gains nothing.
        """
        if provider.own_credential is None or self.clients:
            return
        if not self.public_address.has_own_host(request):
            raise FerryError(
                Status.PERMISSION_DENIED,
                "without client tokens the proxy's own credential can only be used at a loopback "
                "name, such as localhost, or at the host of FERRY_PUBLIC_URL",
            )

    def _refuse_misdirected(self, provider: Provider, key: str) -> None:
        """Without the header, a key that clearly is another provider's is not sent anywhere."""
        if _form_of(key, provider) is not None:
            return
        for other in self.providers.values():
            found = _form_of(key, other)
            if found is not None:
                names = sorted(p.name for p in self.providers.values() if p.kind == other.kind)
                raise unauthenticated(
                    f"this looks like {found.what}, but without the header x-model-provider the "
                    f"request goes to {provider.name}: set x-model-provider to "
                    f"{' or '.join(names)}"
                )

    def _client(self, provider: Provider, given: Credential) -> Client:
        """The client that `given` identifies; it may differ from the credential sent upstream.

        Raises UNAUTHENTICATED if it may not use the provider's own credential.
        """
        if provider.own_credential is None:
            return Client(given)
        return self.clients.of(given)

    async def _tenant(
        self, provider: Provider, principal: Credential, headers: Mapping[str, str]
    ) -> str:
        if self._salt is None:
            self._salt = await self._stored_salt()
        return tenant_of(self._salt, provider.name, principal, _scoping(provider, headers))

    async def _stored_salt(self) -> bytes:
        """The salt that all replicas share; the first request of all writes it."""
        await write(self.state, SALT.name(), secrets.token_bytes(_SALT_BYTES))
        salt = await read(self.state, SALT.name())
        if salt is None:
            raise unavailable("the state store lost the salt immediately after it was written")
        if len(salt) != _SALT_BYTES:
            raise damaged()
        return salt


def _scoping(provider: Provider, headers: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k in provider.scoping_headers}


def _form_of(key: str, provider: Provider) -> KeyForm | None:
    return next((known for known in provider.key_forms if known.form.fullmatch(key)), None)


def unknown_upload_url() -> FerryError:
    """The same error for every URL that does not open, so that guessing reveals nothing."""
    return not_found(
        "no such upload URL: it is not one of this proxy's, or it was sealed with another "
        "FERRY_SECRET_KEY (replicas need the same one; without one, every restart makes a new one)"
    )
