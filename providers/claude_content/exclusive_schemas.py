"""Schemas of which a value fits one at most, so that `oneOf` means the same as `anyOf`.

zod writes `oneOf` for a discriminated union: objects that tell themselves apart by a member.
"""

from typing import Any


def exclude_each_other(schemas: object) -> bool:
    """Whether all are objects that require a member, with other texts in each schema."""
    if not isinstance(schemas, list) or not schemas or not all(map(_is_object, schemas)):
        return False
    members = [_texts_of_members(schema) for schema in schemas]
    return any(_are_distinct([each.get(name) for each in members]) for name in members[0])


def _is_object(schema: object) -> bool:
    return (
        isinstance(schema, dict)
        and schema.get("type") == "object"
        and isinstance(schema.get("properties"), dict)
        and isinstance(schema.get("required"), list)
    )


def _texts_of_members(schema: dict[str, Any]) -> dict[str, list[str]]:
    """For each required member with a constant text, or with an enum of texts: what it may be."""
    found: dict[str, list[str]] = {}
    for name, member in schema["properties"].items():
        if name in schema["required"] and isinstance(member, dict):
            values = [member["const"]] if "const" in member else member.get("enum")
            if isinstance(values, list) and all(isinstance(value, str) for value in values):
                found[name] = values
    return found


def _are_distinct(texts: list[list[str] | None]) -> bool:
    if None in texts:
        return False
    together = [text for each in texts for text in set(each or ())]
    return len(set(together)) == len(together)
