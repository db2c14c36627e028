"""Whether a JSON API accepts a credential, asked with the list of models: it needs no permission
that a key for files and batches usually lacks, and costs nothing.
"""

from providers.credential import Caller
from providers.credential_proof import CredentialCheck
from providers.json_api.client import JsonApi


def models_check(client: JsonApi, path: str = "models") -> CredentialCheck:
    """`path` is that of the list of models below the base URL."""

    async def check(caller: Caller) -> None:
        # Its content does not matter: compatible servers write it differently.
        await (await client.open(caller, path)).aclose()

    return check
