"""Checks what a request names in the account that its tenants share.

Files must be the tenant's own. Other objects of the account that a request can name (stored
answers, vector stores, containers, caches) belong to no tenant, and are refused.

How leniently a provider reads a URI is not known. So a URI counts as a file's only if it is spelt
exactly as the provider spells it, and any other URI that could be read as a file's is refused.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import item, member
from providers.long_work import Pauses
from providers.provider import NameForms
from providers.resource_names import decode_file_id, file_id_of_uri, is_written_by_us
from providers.status import Status
from providers.tenancy.ownership import OwnedResource

_URI_KEYS: Final = frozenset({"fileUri", "file_uri"})
_NAME: Final = r"files/([^/:?#%\\\s]+)"
_BARE_NAME: Final = re.compile(_NAME)
# As the proxy writes them: at any host, because the one that clients use is not known here.
_OUR_URI: Final = re.compile(
    rf"https?://[^/?#\\\s]+/(?:[\w.~-]+/)*{_NAME}(?::download(?:\?alt=media)?)?", re.ASCII
)
# Every segment after "files", if it is the last one.
_READ_AS_NAME: Final = re.compile(r"files[/\\\s]+([^/\\:?#\s]+)(?=[/\\\s]*(?:[:?#]|\Z))")

Owns = Callable[[OwnedResource], Awaitable[bool]]


class References:
    """`names` are the forms of the provider's names; `resource_of` parses a file id."""

    def __init__(self, names: NameForms, resource_of: Callable[[str], OwnedResource]) -> None:
        self._names = names
        self._resource_of = resource_of

    async def check(self, document: object, path: str, owns: Owns) -> None:
        """Raises INVALID_ARGUMENT, with the path below `path`, for what the tenant does not own."""
        pauses = Pauses()
        for key, value, where in _strings(document, path):
            await pauses.pause()
            shared = self._names.shared.get(key)
            if shared is not None and shared.fullmatch(value):
                raise invalid_argument(
                    "cannot be named where tenants share the proxy's own key", path=where
                )
            file_id = self._file_id(key, value)
            if file_id is not None and not await self._is_own(file_id, owns):
                raise invalid_argument(
                    f"names a file that is not there ({file_id[:80]!r})", path=where
                )

    def _file_id(self, key: str, value: str) -> str | None:
        """The id of the file in the account that `value` names; None if it names none.

        It is the whole value, which is never a valid id, if the provider might read a file's name
        in it.
        """
        if key in self._names.file_members:
            return value if self._looks_native(value) else None
        if key not in _URI_KEYS:
            return None
        plain = unquote(value)
        uris = self._names.file_uris
        if uris is not None and uris.host.search(plain.lower()):
            exact = uris.form.fullmatch(value)
        elif "://" not in value:
            exact = _BARE_NAME.fullmatch(value)
        else:
            return self._file_of_the_web(value, plain)
        return exact[1] if exact else value

    def _file_of_the_web(self, uri: str, plain: str) -> str | None:
        """`plain` is `uri` without percent-encoding."""
        # A translation reads a URI of this form as a file's, whatever the id looks like.
        ours = is_written_by_us(uri) and file_id_of_uri(uri) is not None
        exact = _OUR_URI.fullmatch(uri)
        if exact:
            return exact[1] if ours or self._looks_native(exact[1]) else None
        read = [*_READ_AS_NAME.findall(uri), *_READ_AS_NAME.findall(plain)]
        return uri if ours or any(self._looks_native(file_id) for file_id in read) else None

    def _looks_native(self, file_id: str) -> bool:
        return bool(self._names.files.fullmatch(file_id)) or decode_file_id(file_id) is not None

    async def _is_own(self, file_id: str, owns: Owns) -> bool:
        try:
            return await owns(self._resource_of(file_id))
        except FerryError as error:
            if error.status != Status.INVALID_ARGUMENT:
                raise
            return False  # not an id


def _strings(document: object, path: str) -> Iterator[tuple[str, str, str]]:
    """Every string with its key and its path; a string in a list has the key of the list."""
    left: list[tuple[str, Any, str]] = [("", document, path)]
    while left:
        key, value, where = left.pop()
        if isinstance(value, str):
            yield key, value, where
        elif isinstance(value, dict):
            left += [(name, inner, member(where, name)) for name, inner in value.items()]
        elif isinstance(value, list):
            left += [(key, inner, item(where, at)) for at, inner in enumerate(value)]
