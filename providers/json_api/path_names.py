"""Names that may become part of a URL's path at a provider, such as those of models."""

import re
from typing import Final

from providers.errors import invalid_argument
from providers.limits import PATH_NAME

# A server on the way could decode a `%` again, to a dot or a slash.
# U+FFFD stands for percent-encoded bytes that are not UTF-8.
_FORBIDDEN: Final = frozenset("?#%\\\ufffd")
# Some servers take what follows a semicolon for parameters of a segment.
_DOTS: Final = re.compile(r"(?:^|/)\.{1,2}(?:[/:;]|$)")


def check_path_name(name: str, path: str | None, what: str) -> None:
    """Raises INVALID_ARGUMENT for a decoded `name` that could be read as another path.

    `what` is the kind of name, for the message; `path` is the name's JSON path. Slashes, colons
    and `@` are part of many names: `openai/gpt-4o-mini`, `ft:gpt-4o:org::id`, `@cf/meta/llama`,
    ARNs.
    """
    if not name:
        raise invalid_argument(f"the {what} is empty", path=path)
    if len(name) > PATH_NAME:
        raise invalid_argument(f"the {what} has more than {PATH_NAME} characters", path=path)
    if not name.isprintable() or not _FORBIDDEN.isdisjoint(name):
        raise invalid_argument(
            f"the {what} must not have ?, #, %, a backslash, a control character or bytes that are "
            "not UTF-8 in it",
            path=path,
        )
    if _DOTS.search(name):
        raise invalid_argument(f"the {what} must not have a segment '.' or '..'", path=path)
