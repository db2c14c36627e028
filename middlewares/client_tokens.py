"""Who may spend the proxy's own credentials."""

import hmac
from collections.abc import Sequence

from providers.credential import Credential
from providers.errors import unauthenticated


class ClientTokens:
    """The configured tokens. Where there are none, whoever reaches the proxy may spend."""

    def __init__(self, tokens: Sequence[str] = ()) -> None:
        self._tokens = tokens

    @property
    def principals(self) -> Sequence[Credential]:
        """Who the tenants are: the holder of each token, or all together where there is none."""
        return [Credential(api_key=token) for token in self._tokens] or [Credential()]

    def principal(self, given: Credential) -> Credential:
        """Who gives `given` as the SDK's key. Raises UNAUTHENTICATED if it is none of the tokens.

        It is compared with every token, whichever matches, so that the time taken tells nothing.
        """
        if not self._tokens:
            return Credential()
        secret = given.secret.encode()
        matches = [hmac.compare_digest(secret, token.encode()) for token in self._tokens]
        if not any(matches):
            raise unauthenticated("the SDK's api_key must be a client token of this proxy here")
        return Credential(api_key=given.secret)
