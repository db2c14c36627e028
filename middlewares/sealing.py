"""Upload URLs: they contain, encrypted, everything that the proxy must know about a chunk.

The Python SDK sends chunks without key, provider and client headers (sdk-wire.md section 1b). The
token is `{session}.{tenant}.{sealed}`, in unreserved characters only: the Java SDK would encode
others a second time. The encryption is bound to the session, the tenant and the tail of the path:
clients and ingresses may change what precedes the tail. A caller's credential inside is encrypted
once more, with a key derived from random bytes in the session's state object: after those are
deleted, an old URL is useless.
"""

import base64
import binascii
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from middlewares.paths import UPLOAD_TAIL
from providers.credential import Caller, Credential, tenant_of
from providers.errors import invalid_argument
from providers.limits import UPLOAD_TOKEN
from providers.provider import Provider
from providers.state import State
from providers.upload import StartedUpload, UploadSession
from providers.uploads.upload_target import (
    create_session_key,
    delete_session_key,
    new_session_id,
    read_session_key,
)

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_PATH: Final = "/upload/v1beta/files"


@dataclass(frozen=True, slots=True)
class SealedUpload:
    """The content of an upload URL. `expires` is in seconds since the epoch.

    `tenant` is the caller's `identity` too, at a provider that keeps no state. `scoping` are the
    headers of the start that distinguish tenants. `sealed_caller` opens only
    with the session's key; it is empty if chunks need no caller. `opened_by` is the secret that
    opened the URL.
    """

    session: str
    tenant: str
    provider: str
    expires: int
    details: Mapping[str, str] = field(repr=False)
    scoping: Mapping[str, str] = field(default_factory=dict, repr=False)
    sealed_caller: str = field(default="", repr=False)
    identity: str = ""
    opened_by: bytes = field(default=b"", repr=False, compare=False)


class UploadUrls:
    """Makes and opens upload URLs, which are valid for `ttl` seconds.

    The first secret seals; every secret opens, for rotation. Session keys are in `state`.
    """

    def __init__(self, secret_keys: Sequence[str], state: State, ttl: int) -> None:
        self._secrets = [key.encode() for key in secret_keys]
        self._url_keys = {secret: _derive(secret, b"upload-url") for secret in self._secrets}
        self._identity_keys = {secret: _derive(secret, b"identity") for secret in self._secrets}
        self._state = state
        self._ttl = ttl

    def identity(
        self,
        upstream: str,
        principal: Credential,
        scoping: Mapping[str, str],
        secret: bytes | None = None,
    ) -> str:
        """What `Caller.identity` is, under the secret that seals now or an older one."""
        key = self._identity_keys[secret or self._secrets[0]]
        return tenant_of(key, upstream, principal, scoping)

    async def issue(
        self, address: str, provider: Provider, caller: Caller, started: StartedUpload
    ) -> str:
        """The URL of an upload that `caller` started. It never contains the proxy's own key."""
        session, sealed_caller = new_session_id(provider.name, caller.tenant), ""
        if started.needs_caller:
            key = await create_session_key(self._state, session)
            uses_own = provider.own_credential is not None
            sealed = replace(caller, credential=Credential()) if uses_own else caller
            sealed_caller = self.seal_caller(sealed, session, key)
        upload = SealedUpload(
            session=session,
            tenant=caller.tenant if provider.keeps_state else caller.identity,
            provider=provider.name,
            expires=int(time.time()) + self._ttl,
            details=started.details,
            scoping={k: v for k, v in caller.headers.items() if k in provider.scoping_headers},
            sealed_caller=sealed_caller,
            identity=caller.identity,
        )
        token = self.seal(upload, UPLOAD_TAIL)
        return f"{address}{_PATH}?upload_id={token}&upload_protocol=resumable"

    async def session(self, upload: SealedUpload, provider: Provider) -> UploadSession | None:
        """The session of an opened URL, in which the provider's own credential is added again.

        None if, since its start, a setting changed whose credential is used.
        """
        caller, expired = None, upload.expires <= time.time()
        if expired:
            await delete_session_key(self._state, upload.session)
        elif upload.sealed_caller:
            key = await read_session_key(self._state, upload.session)
            caller = self.open_caller(upload, key) if key else None
        if caller is not None:
            own = provider.own_credential
            if bool(caller.credential) is (own is not None):
                return None
            caller = replace(caller, credential=own or caller.credential)
        return UploadSession(upload.session, upload.details, caller, expired, upload.tenant)

    def seal(self, upload: SealedUpload, tail: str) -> str:
        """The token for `upload`, which opens only on paths that end in `tail`."""
        document = {
            "provider": upload.provider,
            "expires": upload.expires,
            "details": dict(upload.details),
            "scoping": dict(upload.scoping),
            "caller": upload.sealed_caller,
            "identity": upload.identity,
        }
        bound = _bound(upload.session, upload.tenant, tail)
        sealed = _seal(self._url_keys[self._secrets[0]], orjson.dumps(document), bound)
        token = f"{upload.session}.{upload.tenant}.{sealed}"
        if len(token) > UPLOAD_TOKEN:
            raise invalid_argument("the names and headers of this upload are together too long")
        return token

    def open(self, token: str, tail: str) -> SealedUpload | None:
        """The content of `token`, or None if none of our secrets opens it for `tail`."""
        if not token.isascii():
            return None
        session, _, rest = token.partition(".")
        tenant, _, sealed = rest.partition(".")
        bound = _bound(session, tenant, tail)
        for secret, key in self._url_keys.items():
            plain = _open(key, sealed, bound)
            if plain is not None:
                document: dict[str, Any] = orjson.loads(plain)
                return SealedUpload(
                    session=session,
                    tenant=tenant,
                    provider=document["provider"],
                    expires=document["expires"],
                    details=document["details"],
                    scoping=document["scoping"],
                    sealed_caller=document["caller"],
                    identity=document.get("identity", ""),  # an earlier version sealed none
                    opened_by=secret,
                )
        return None

    def seal_caller(self, caller: Caller, session: str, session_key: bytes) -> str:
        document = {
            "api_key": caller.credential.api_key,
            "bearer": caller.credential.bearer,
            "headers": dict(caller.headers),
        }
        key = _derive(self._secrets[0], b"upload-caller", session_key)
        return _seal(key, orjson.dumps(document), session.encode())

    @staticmethod
    def open_caller(upload: SealedUpload, session_key: bytes) -> Caller | None:
        key = _derive(upload.opened_by, b"upload-caller", session_key)
        plain = _open(key, upload.sealed_caller, upload.session.encode())
        if plain is None:
            return None
        document: dict[str, Any] = orjson.loads(plain)
        credential = Credential(document["api_key"], document["bearer"])
        return Caller(credential, upload.tenant, document["headers"], upload.identity)


def _bound(session: str, tenant: str, tail: str) -> bytes:
    return orjson.dumps([session, tenant, tail])


def _derive(secret: bytes, purpose: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), length=_KEY_BYTES, salt=salt, info=purpose).derive(secret)


def _seal(key: bytes, plain: bytes, bound: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, plain, bound)
    return _encode(sealed)


def _open(key: bytes, sealed: str, bound: bytes) -> bytes | None:
    try:
        raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        if _encode(raw) != sealed:  # the same bytes have other spellings
            return None
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound)
    except (binascii.Error, InvalidTag, ValueError):
        return None


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
