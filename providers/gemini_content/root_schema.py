"""What a provider requires of a JSON Schema's root. The proxy never wraps a schema to fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member


@dataclass(frozen=True, slots=True)
class ObjectRoot:
    """The root must have `"type": "object"` and no keyword in `without`.

    Unverified: whether any provider takes a list of types (`["object", "null"]`) or a `$ref`
    without a type at the root. Both are refused.
    """

    provider: str
    without: tuple[str, ...] = ()

    def __call__(self, schema: Mapping[str, Any], path: str) -> None:
        """Raise INVALID_ARGUMENT if the root of the schema at `path` does not fit."""
        needed = f'{self.provider} takes a schema whose root has the type "object"'
        if schema.get("type", "object") != "object":
            raise invalid_argument(needed, path=member(path, "type"))
        for keyword in self.without:
            if keyword in schema:
                raise invalid_argument(f"{needed} and no {keyword}", path=member(path, keyword))
        if "type" not in schema:
            raise invalid_argument(needed, path=member(path, "type"))
