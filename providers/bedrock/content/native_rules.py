"""Checks of native lines beyond their schema, and what is noted of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member

_SCHEME: Final = "s3://"
_PROSE: Final = "text"


@dataclass(slots=True)
class NativeRules:
    """`may_read`: whether the caller may have this s3:// URI read.

    `tools_at` is set here: the path of the first `toolConfig` in a Converse line. A job fails on
    it; an immediate batch accepts it.
    """

    may_read: Callable[[str], bool]
    tools_at: str | None = None

    def check_media(self, model_input: Mapping[str, Any], path: str) -> None:
        """Raises INVALID_ARGUMENT for an object that the caller may not name.

        The models' schemas have such names in different fields, so every string but prose counts.
        """
        for uri, where in _s3_uris(model_input, path):
            if not self.may_read(uri):
                raise invalid_argument(
                    "only objects below the caller's own S3 prefix are allowed here", path=where
                )


def _s3_uris(document: object, path: str) -> Iterator[tuple[str, str]]:
    """Every s3:// URI in `document`, with its JSON path. No recursion, so any depth works."""
    left = [(document, path)]
    while left:
        value, where = left.pop()
        if isinstance(value, dict):
            left += [
                (inner, member(where, name))
                for name, inner in value.items()
                if not (name == _PROSE and isinstance(inner, str))
            ]
        elif isinstance(value, list):
            left += [(inner, item(where, index)) for index, inner in enumerate(value)]
        elif isinstance(value, str) and value.lstrip()[: len(_SCHEME)].lower() == _SCHEME:
            yield value, where
