"""Client tokens: who may use the proxy's own credentials."""

import hmac
from collections.abc import Sequence

from providers.credential import Credential
from providers.errors import unauthenticated


class ClientTokens:
    """The configured tokens. Without any, every caller may use the credentials."""

    def __init__(self, tokens: Sequence[str] = ()) -> None:
        self._tokens = tokens

    @property
    def principals(self) -> Sequence[Credential]:
        """One credential for each token; without tokens, one that all callers share."""
        return [Credential(api_key=token) for token in self._tokens] or [Credential()]

    def principal(self, given: Credential) -> Credential:
        """Whose key `given` is. Raises UNAUTHENTICATED if it matches no token.

        It is compared with every token, even after a match, so that timing reveals nothing.
        """
        if not self._tokens:
            return Credential()
        secret = given.secret.encode()
        matches = [hmac.compare_digest(secret, token.encode()) for token in self._tokens]
        if not any(matches):
            raise unauthenticated("the SDK's api_key must be a client token of this proxy")
        return Credential(api_key=given.secret)
