"""What the requests of a batch, or of a call, name of the account that its tenants share.

Files must be the tenant's own. Other things of the account that a request can name (stored
answers, vector stores, containers, caches) belong to no tenant, and are refused.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from providers.errors import FerryError, invalid_argument
from providers.ownership import Thing
from providers.resource_names import decode_file_id, file_id_of_uri

_URI_KEYS: Final = frozenset({"fileUri", "file_uri"})
_ID_KEYS: Final = frozenset({"file_id", "file_ids"})
# By key, and by how the ids begin [MEM]: in the arguments of a user's function the same keys stand
# for something else.
_SHARED_KEYS: Final = frozenset(
    {
        "cachedContent",
        "cached_content",
        "container",
        "conversation",
        "previous_response_id",
        "vector_store_ids",
    }
)
_SHARED_ID: Final = re.compile(r"(cachedContents/|cntr_|container_|conv_|resp_|vs_).*", re.DOTALL)

Owns = Callable[[Thing], Awaitable[bool]]


class References:
    """`native` is how the provider's own file ids look, and `thing_of` makes a file of an id."""

    def __init__(self, native: re.Pattern[str], thing_of: Callable[[str], Thing]) -> None:
        self._native = native
        self._thing_of = thing_of

    async def check(self, document: object, path: str, owns: Owns) -> None:
        """Raises INVALID_ARGUMENT, with the JSON path from `path` on, for what is another's."""
        for key, value, where in _strings(document, path):
            if key in _SHARED_KEYS and _SHARED_ID.fullmatch(value):
                raise invalid_argument(
                    "cannot be named where tenants share the proxy's own key", path=where
                )
            file_id = self._file_id(key, value)
            if file_id is not None and not await self._is_own(file_id, owns):
                raise invalid_argument(f"names a file that is not there ({file_id})", path=where)

    def _file_id(self, key: str, value: str) -> str | None:
        """The file that `value` names, if it is one of the account's and not of the web."""
        if key in _ID_KEYS:
            return value if self._looks_native(value) else None
        if key not in _URI_KEYS:
            return None
        found = file_id_of_uri(value)
        if "://" in value:
            return found if found and self._looks_native(found) else None
        return found or value

    def _looks_native(self, file_id: str) -> bool:
        return bool(self._native.fullmatch(file_id)) or decode_file_id(file_id) is not None

    async def _is_own(self, file_id: str, owns: Owns) -> bool:
        try:
            return await owns(self._thing_of(file_id))
        except FerryError as error:
            if error.status != "INVALID_ARGUMENT":
                raise
            return False  # no id at all


def _strings(document: object, path: str) -> Iterator[tuple[str, str, str]]:
    """Every string with the key that it stands under, itself or in a list, and its path."""
    left: list[tuple[str, Any, str]] = [("", document, path)]
    while left:
        key, value, where = left.pop()
        if isinstance(value, str):
            yield key, value, where
        elif isinstance(value, dict):
            left += [(name, inner, f"{where}.{name}") for name, inner in value.items()]
        elif isinstance(value, list):
            left += [(key, inner, f"{where}[{at}]") for at, inner in enumerate(value)]
