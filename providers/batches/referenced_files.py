"""Checks that the provider has the files that a batch's requests name."""

from collections.abc import Mapping

from providers.credential import Caller
from providers.errors import NotFound, invalid_argument
from providers.json_api.client import JsonApi


async def check_referenced(
    client: JsonApi, caller: Caller, folder: str, referenced: Mapping[str, str]
) -> None:
    """Check that the caller can see each file in `referenced`: native id to JSON path.

    `folder` is the path of the provider's files. Raises INVALID_ARGUMENT.
    """
    for native_id, path in referenced.items():
        try:
            await client.get(caller, f"{folder}/{native_id}")
        except NotFound:
            raise invalid_argument(
                f"names a file that {client.name} does not have ({native_id})", path=path
            ) from None
