"""Files of the provider in `fileUri` of a batch's requests, as opposed to web addresses."""

import re
from typing import Final

from providers.credential import Caller
from providers.errors import NotFound, invalid_argument
from providers.json_api.client import JsonApi
from providers.resource_names import (
    FileKind,
    decode_file_id,
    file_id_of_uri,
    is_written_by_us,
    parse_file_id,
)
from providers.resources import CheckFileName

_ON_THE_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_ONLY_HERE: Final = {
    FileKind.STAGED: "the proxy stores this file as the input of a batch",
    FileKind.RESULTS: "this file is the results of a batch",
}


class FileReferences:
    """The provider's files that a batch's requests name.

    `found` are their native ids, each with the JSON path of the first request that names it.
    """

    def __init__(self, native: re.Pattern[str], check_file_name: CheckFileName) -> None:
        """`native` is the form of the provider's ids."""
        self.found: dict[str, str] = {}
        self._native = native
        self._check_file_name = check_file_name

    def id_of(self, uri: str, path: str) -> str | None:
        """The native id of the file that `uri`, at JSON path `path`, names; None for others.

        Raises INVALID_ARGUMENT for a file that only the proxy has: no provider could fetch it.
        """
        name = file_id_of_uri(uri)
        if name is None:
            return None
        if is_written_by_us(uri):
            self._check_file_name(name, path)
        elif _ON_THE_WEB.match(uri) and not (self._native.fullmatch(name) or decode_file_id(name)):
            return None  # a web address that ends like this; the provider fetches it
        file_id = parse_file_id(name)
        if file_id.kind in _ONLY_HERE:
            raise invalid_argument(
                f"{_ONLY_HERE[file_id.kind]}, and the provider cannot read it in a request; "
                "send its text as a text part",
                path=path,
            )
        self.found.setdefault(file_id.native, path)
        return file_id.native

    async def check(self, client: JsonApi, caller: Caller, folder: str) -> None:
        """Check that the caller can see each file; `folder` is the path of the provider's files.

        Raises INVALID_ARGUMENT.
        """
        for native_id, path in self.found.items():
            try:
                await client.get(caller, f"{folder}/{native_id}")
            except NotFound:
                raise invalid_argument(
                    f"names a file that {client.name} does not have ({native_id})", path=path
                ) from None
