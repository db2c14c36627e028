"""What fake models answer: values that fit a JSON schema, and vectors."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

PLAIN: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
}


def token_count(*read: Any) -> int:
    """How many tokens a fake model sees in what it reads; each part of it counts."""
    return len(orjson.dumps(read)) // 4


def arguments_of(schema: Any, text: str) -> list[Any]:
    """Of each call that a fake model makes: two calls if the text says "call the tool twice"."""
    first = sample(schema)
    if "call the tool twice" not in text:
        return [first]
    return [first, {name: f"{value} again" for name, value in first.items()}]


def in_order(calls: Iterable[Any], results: Mapping[Any, str]) -> str:
    """The results by the ids of their calls, in the order of the calls."""
    return " ".join(results[call] for call in calls if call in results)


def sample(schema: Any) -> Any:
    """A small value that shows the schema: every property, one item, the first choice.

    A text for what is no schema: a service that does not look into it lets its model answer.
    """
    try:
        return _sample(schema, schema)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError):
        return PLAIN["string"]


def _sample(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _sample(_resolve(schema["$ref"], root), root)
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for choice in ("anyOf", "oneOf", "any_of"):
        if schema.get(choice):
            return _sample(schema[choice][0], root)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        return {name: _sample(inner, root) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_sample(schema.get("items", {"type": "string"}), root)]
    return PLAIN[kind]


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    found: Any = root
    for step in reference.removeprefix("#/").split("/") if reference != "#" else ():
        found = found[step.replace("~1", "/").replace("~0", "~")]
    resolved: dict[str, Any] = found
    return resolved


def vector(text: str, count: int) -> list[float]:
    """`count` numbers in -1..1 that depend on the text alone."""
    stream = hashlib.shake_256(text.encode()).digest(count)
    return [round(byte / 127.5 - 1, 4) for byte in stream]


def until_stop(text: str, stop: str | list[str] | None) -> str:
    """The text before the first stop sequence in it; `stop` is one, several, or none."""
    marks = [stop] if isinstance(stop, str) else stop or []
    return text[: min([len(text), *(text.find(mark) for mark in marks if mark in text)])]
