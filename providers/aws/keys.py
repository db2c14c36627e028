"""AWS keys that sign calls: the caller's, from the SDK's api_key, or the proxy's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from providers.credential import Credential
from providers.errors import unauthenticated
from providers.provider import KeyForm

FORM: Final = "ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]"

# No part contains a colon.
_KEYS: Final = re.compile(r"(\w{1,128}):([^\s:]+)(?::([^\s:]+))?", re.ASCII)
_TEMPORARY: Final = "ASIA"
# The beginnings of Bedrock API keys (bedrock.md section 1).
_BEDROCK_API_KEYS: Final = ("bedrock-api-key-", "ABSK")

# Key pairs are recognised by the beginning of the access key id.
KEY_FORMS: Final = (
    KeyForm(re.compile(r"(AKIA|ASIA)\w{4,124}:\S+", re.ASCII), "a pair of AWS keys"),
    KeyForm(
        re.compile(rf"({'|'.join(_BEDROCK_API_KEYS)})\S+"),
        f"a Bedrock API key, which cannot reach S3 (Bedrock's files and batches need {FORM})",
    ),
)


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Never shown in a `repr`. Only temporary keys have a `session_token`."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def secrets(self) -> Sequence[str]:
        """The values that no message may show; AWS's messages may quote what was signed."""
        secrets = (self.secret_access_key, self.access_key_id, self.session_token)
        return [secret for secret in secrets if secret]


class KeySource(Protocol):
    async def __call__(self) -> AwsKeys:
        """Keys that are valid now: temporary keys of the proxy's own are refreshed.

        Raises FAILED_PRECONDITION if there are none, UNAVAILABLE if they cannot be fetched now.
        """


def always(keys: AwsKeys) -> KeySource:
    async def given() -> AwsKeys:
        return keys

    return given


def parse_keys(credential: Credential) -> AwsKeys:
    """The caller's keys. Raises UNAUTHENTICATED for a credential of another form."""
    secret = credential.secret
    if secret.startswith(_BEDROCK_API_KEYS):
        raise unauthenticated(
            "a Bedrock API key cannot reach S3, where Bedrock's files and batches are stored: give "
            f"{FORM} as the SDK's api_key"
        )
    keys = _KEYS.fullmatch(secret)
    if keys is None:
        raise unauthenticated(f"the SDK's api_key for Bedrock must have the form {FORM}")
    if keys[1].startswith(_TEMPORARY) and keys[3] is None:
        raise unauthenticated(f"temporary keys ({_TEMPORARY}…) need a session token: {FORM}")
    return AwsKeys(*keys.groups())
