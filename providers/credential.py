"""The caller of an operation, and the key that the caller sent."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """The caller's key as received: `x-goog-api-key` or `?key=`, and `Authorization: Bearer`.

    It is in no `repr`, and is written only into outbound headers.
    """

    api_key: str | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str:
        """The key for a provider that takes only one: the SDK's `api_key` if there is one."""
        return self.api_key or self.bearer or ""

    def __bool__(self) -> bool:
        return bool(self.secret)


@dataclass(frozen=True, slots=True)
class Caller:
    """A credential at one upstream, with the inbound headers that the provider reads.

    `tenant` names the owner of what the state store keeps; it is empty if the call keeps nothing.
    `identity` tells callers apart without the store: in memory, in logs and in upload URLs.
    """

    credential: Credential
    tenant: str
    headers: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""

    @property
    def known_as(self) -> str:
        """The identity, or the tenant for a caller that no request has identified."""
        return self.identity or self.tenant


def tenant_of(
    salt: bytes, upstream: str, credential: Credential, scoping: Mapping[str, str]
) -> str:
    """The tenant: an HMAC of upstream, principal and scoping headers (contract.md section 7)."""
    texts = [upstream, credential.secret, *(f"{k}={v}" for k, v in sorted(scoping.items()))]
    parts = [text.encode() for text in texts]
    material = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return hmac.digest(salt, material, "sha256").hex()[:32]
