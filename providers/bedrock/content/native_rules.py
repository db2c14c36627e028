"""What native lines are checked for beside their schema, and what of them is noted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member

_SCHEME: Final = "s3://"
_PROSE: Final = "text"


@dataclass(slots=True)
class NativeRules:
    """`may_read`: whether an s3:// URI may be read with the keys that will read it.

    `tools_at` is noted: the path of the first `toolConfig` of a Converse line, which a batch of
    that type fails on, and a call at once takes.
    """

    may_read: Callable[[str], bool]
    tools_at: str | None = None

    def check_media(self, model_input: Mapping[str, Any], path: str) -> None:
        """Raises INVALID_ARGUMENT at what names an object that is not the caller's to name.

        Where such names stand differs between the models' schemas: any that is not prose counts.
        """
        for uri, where in _s3_uris(model_input, path):
            if not self.may_read(uri):
                raise invalid_argument(
                    "only objects below the caller's own S3 prefix can be named here", path=where
                )


def _s3_uris(document: object, path: str) -> Iterator[tuple[str, str]]:
    """Every s3:// URI in `document`, with its JSON path; however deep, without recursion."""
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
