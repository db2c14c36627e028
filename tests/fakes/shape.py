"""Strict shapes of JSON: each parses a value, or raises with the path that does not fit.

A `Record` lists all of its fields, so an unknown one is always an error.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Problem = Literal["missing", "unknown", "type", "value"]


class ShapeError(Exception):
    """A value does not fit; `path` reads like `messages[0].content`."""

    def __init__(self, problem: Problem, path: str, message: str) -> None:
        super().__init__(message)
        self.problem: Problem = problem
        self.path = path
        self.message = message


class Shape(Protocol):
    def parse(self, value: Any, path: str = "") -> Any:
        """Return the value (with camelCase keys where a record wants them); raises ShapeError."""


def _wrong_type(value: Any, path: str, wanted: str) -> ShapeError:
    found = type(value).__name__
    return ShapeError("type", path, f"Invalid type for '{path}': expected {wanted}, got {found}.")


def _wrong_value(path: str, why: str) -> ShapeError:
    return ShapeError("value", path, f"Invalid value for '{path}': {why}.")


@dataclass(frozen=True)
class Anything:
    def parse(self, value: Any, path: str = "") -> Any:
        return value


@dataclass(frozen=True)
class Flag:
    def parse(self, value: Any, path: str = "") -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(value, path, "a boolean")
        return value


@dataclass(frozen=True)
class Text:
    choices: Collection[str] | None = None
    pattern: str | None = None
    low: int = 0
    high: int | None = None

    def parse(self, value: Any, path: str = "") -> str:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if self.choices is not None and value not in self.choices:
            raise _wrong_value(path, f"{value!r} is not one of {sorted(self.choices)}")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise _wrong_value(path, f"{value!r} does not match {self.pattern!r}")
        if len(value) < self.low:
            raise _wrong_value(path, "the string is too short")
        if self.high is not None and len(value) > self.high:
            raise _wrong_value(path, f"the string is longer than {self.high}")
        return value


@dataclass(frozen=True)
class Number:
    low: float | None = None
    high: float | None = None
    whole: bool = False

    def parse(self, value: Any, path: str = "") -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, path, "a number")
        if self.whole and not isinstance(value, int):
            raise _wrong_type(value, path, "an integer")
        if (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        ):
            raise _wrong_value(path, f"{value} is outside {self.low}..{self.high}")
        return value


@dataclass(frozen=True)
class Sequence:
    item: Shape
    low: int = 0
    high: int | None = None

    def parse(self, value: Any, path: str = "") -> list[Any]:
        if not isinstance(value, list):
            raise _wrong_type(value, path, "an array")
        if len(value) < self.low or (self.high is not None and len(value) > self.high):
            raise _wrong_value(path, f"{len(value)} items, not {self.low}..{self.high}")
        return [self.item.parse(item, f"{path}[{index}]") for index, item in enumerate(value)]


@dataclass(frozen=True)
class Table:
    """A map with any keys that match `key`."""

    value: Shape
    key: Shape = Text()
    high: int | None = None

    def parse(self, value: Any, path: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        if self.high is not None and len(value) > self.high:
            raise _wrong_value(path, f"more than {self.high} entries")
        return {
            self.key.parse(name, f"{path}.{name}"): self.value.parse(entry, f"{path}.{name}")
            for name, entry in value.items()
        }


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


@dataclass(frozen=True)
class Record:
    """A closed object; `protobuf` takes snake_case too, and null as absent (proto3 JSON)."""

    fields: Mapping[str, Shape]
    required: Collection[str] = ()
    protobuf: bool = False

    def parse(self, value: Any, path: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        parsed: dict[str, Any] = {}
        for given, entry in value.items():
            known = given in self.fields or not self.protobuf
            name = given if known else camel(given)
            inner = f"{path}.{given}" if path else given
            if name not in self.fields:
                raise ShapeError("unknown", inner, f"Unknown parameter: '{inner}'.")
            if name in parsed:
                raise _wrong_value(inner, "given twice")
            if entry is None and self.protobuf:
                continue
            parsed[name] = self.fields[name].parse(entry, inner)
        for name in self.required:
            if name not in parsed:
                inner = f"{path}.{name}" if path else name
                raise ShapeError("missing", inner, f"Missing required parameter: '{inner}'.")
        return parsed


@dataclass(frozen=True)
class Tagged:
    """An object whose shape depends on the value of one of its fields."""

    tag: str
    cases: Mapping[str, Record]

    def parse(self, value: Any, path: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        inner = f"{path}.{self.tag}"
        if self.tag not in value:
            raise ShapeError("missing", inner, f"Missing required parameter: '{inner}'.")
        kind = Text(choices=self.cases).parse(value[self.tag], inner)
        rest = {name: entry for name, entry in value.items() if name != self.tag}
        return {self.tag: kind, **self.cases[kind].parse(rest, path)}


@dataclass(frozen=True)
class Nullable:
    shape: Shape

    def parse(self, value: Any, path: str = "") -> Any:
        return None if value is None else self.shape.parse(value, path)


@dataclass(frozen=True)
class Either:
    """One of several shapes; raises the deepest error, as that shape was probably meant."""

    shapes: tuple[Shape, ...]

    def parse(self, value: Any, path: str = "") -> Any:
        errors: list[ShapeError] = []
        for shape in self.shapes:
            try:
                return shape.parse(value, path)
            except ShapeError as error:
                errors.append(error)
        raise max(errors, key=lambda error: (len(error.path), error.problem != "type"))
