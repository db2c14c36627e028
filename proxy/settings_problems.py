"""What is wrong with the settings, one sentence each, never with a value in it."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

PREFIX: Final = "FERRY_"


class InvalidSettings(Exception):
    """The program cannot start with these. `problems` are sentences."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems: Sequence[str] = tuple(problems)
        super().__init__("; ".join(self.problems))


def variable(*path: object) -> str:
    """A setting by the name that it has in the environment."""
    return PREFIX + "__".join(str(part).upper().replace("-", "_") for part in path)


def unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def problems_of(error: ValidationError, known: Iterable[str]) -> list[str]:
    """`known` are the names of all settings, for spotting a misspelt one."""
    return [_problem(details, known) for details in error.errors(include_input=False)]


def _problem(details: Mapping[str, Any], known: Iterable[str]) -> str:
    path = [part for part in details["loc"] if isinstance(part, str)]
    name = variable(*path)
    match details["type"]:
        case "extra_forbidden":
            return unknown(name, known)
        case "value_error":
            return f"{name}: {details['ctx']['error']}"
        case "model_type" | "dict_type":
            return f"{name}: must be a table of settings"
        case _:
            message = str(details["msg"])
            return f"{name}: {message[0].lower()}{message[1:]}"
