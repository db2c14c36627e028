"""Files of the provider in `fileUri` of requests, as opposed to web addresses."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final

from providers.credential import Caller
from providers.errors import FerryError, NotFound, invalid_argument
from providers.gemini_content.media import INLINE
from providers.json_api.client import JsonApi
from providers.resource_names import NATIVE_ID, FileKind, parse_file_id
from providers.resources import FileOfUri

_MAY_CONCERN_A_FILE: Final = (400, 404, 422)
_ONLY_HERE: Final = {
    FileKind.STAGED: "the proxy keeps this file itself",
    FileKind.RESULTS: "this file is the results of a batch",
}


@asynccontextmanager
async def explained(
    may_concern_files: Callable[[FerryError], bool], check: Callable[[], Awaitable[None]], hint: str
) -> AsyncIterator[None]:
    """Explains the refusal of a call with files: which is missing, or with `hint` what else to do.

    `check` raises the error for a missing file. To call it first would delay every call.
    """
    try:
        yield
    except FerryError as refused:
        if not may_concern_files(refused):
            raise
        try:
            await check()
        except FerryError as error:
            raise (error if error.path else refused) from None
        raise refused.adding(hint) from None


class FileReferences:
    """The provider's files that requests name.

    `found` are their native ids, each with the JSON path of the first request that names it.
    """

    def __init__(self, file_of_uri: FileOfUri) -> None:
        self.found: dict[str, str] = {}
        self._file_of_uri = file_of_uri

    def id_of(self, uri: str, path: str) -> str | None:
        """The native id of the file that `uri`, at JSON path `path`, names; None for others.

        Raises INVALID_ARGUMENT for a file that only the proxy has: no provider could fetch it.
        """
        name = self._file_of_uri(uri, path)
        if name is None:
            return None
        if not NATIVE_ID.fullmatch(name):
            raise invalid_argument("is not the name of a file", path=path)
        file_id = parse_file_id(name)
        if file_id.kind in _ONLY_HERE:
            raise invalid_argument(
                f"{_ONLY_HERE[file_id.kind]}, and the provider cannot read it in a request; "
                f"send text as a text part, and others {INLINE}",
                path=path,
            )
        self.found.setdefault(file_id.native, path)
        return file_id.native

    def explained(
        self, client: JsonApi, caller: Caller, folder: str
    ) -> AbstractAsyncContextManager[None]:
        """As the function `explained`, for a call with these files."""
        return explained(
            lambda refused: bool(self.found) and refused.upstream_status in _MAY_CONCERN_A_FILE,
            partial(self.check, client, caller, folder),
            f". If it cannot read the file by its name, send the file {INLINE}",
        )

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
