"""Files that a batch's requests name by `fileUri`, told from addresses on the web."""

import re
from typing import Final

from providers.errors import invalid_argument
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
    FileKind.STAGED: "the proxy keeps this file as the input of a batch",
    FileKind.RESULTS: "this file is the results of a batch",
}


def referenced_file(
    uri: str, path: str, native: re.Pattern[str], check_file_name: CheckFileName
) -> str | None:
    """The provider's own id of the file that `uri` names, or None for any other address.

    `native` is the form of the provider's ids. `path` is where the request stands. Raises
    INVALID_ARGUMENT for a file that only the proxy has, which no provider could fetch.
    """
    found = file_id_of_uri(uri)
    if found is None:
        return None
    if is_written_by_us(uri):
        check_file_name(found, path)
    elif _ON_THE_WEB.match(uri) and not (native.fullmatch(found) or decode_file_id(found)):
        return None  # many web addresses end like this, and the provider reads them itself
    file_id = parse_file_id(found)
    if file_id.kind in _ONLY_HERE:
        raise invalid_argument(
            f"{_ONLY_HERE[file_id.kind]}, and the provider cannot read it in a request; "
            "send its text as a text part",
            path=path,
        )
    return file_id.native
