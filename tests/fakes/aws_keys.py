"""The key pairs of the one AWS account that the fakes of S3 and Bedrock know."""

from dataclasses import dataclass, field
from typing import Literal

from botocore.credentials import Credentials

TokenFault = Literal["missing", "expired", "wrong"]

ACCOUNT = "123456789012"
REGION = "us-east-1"


@dataclass(frozen=True)
class KeyPair:
    """A long-term pair, or a temporary one, which is valid only with its session token."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @property
    def credentials(self) -> Credentials:
        """To sign the request again; it already contains the token, so none is added."""
        return Credentials(self.access_key_id, self.secret_access_key)

    @property
    def api_key(self) -> str:
        """As a client of the proxy gives it: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`."""
        given = (self.access_key_id, self.secret_access_key, self.session_token)
        return ":".join(part for part in given if part is not None)

    def token_fault(self, given: str | None) -> TokenFault | None:
        """What is wrong with the session token of a request that this pair signed."""
        if given == self.session_token:
            return None
        if given is None:
            return "missing"
        if self.session_token is not None and given == EXPIRED_SESSION_TOKEN:
            return "expired"
        return "wrong"


ACCESS_KEY_ID = "AKIAOFTHETESTSOFFERRY"
SECRET_ACCESS_KEY = "the-secret-access-key-of-the-tests"
EXPIRED_SESSION_TOKEN = "a-session-token-of-yesterday"

LONG_TERM = KeyPair(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
TEMPORARY = KeyPair(
    "ASIAOFTHETESTSOFFERRY",
    "the-temporary-secret-access-key-of-the-tests",
    # Like real tokens, it has characters that a URL and a header treat differently.
    "the+session/token==",
)
# The keys of Bedrock itself for S3, when it acts in the role of a job.
OF_THE_ROLE = KeyPair(
    "ASIAOFTHEROLEOFAJOB", "the-secret-access-key-of-the-role", "the/session+token+of+the+role="
)

KEY_PAIRS = {pair.access_key_id: pair for pair in (LONG_TERM, TEMPORARY, OF_THE_ROLE)}
