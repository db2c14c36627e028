"""Problems with the settings, one sentence each, which never quotes a value.

pydantic's own report quotes values, which may be secrets, names neither the variable nor the line
of the file, and suggests no name; pydantic-settings ignores unknown variables.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from proxy.log_lines import printable

PREFIX: Final = "FERRY_"

# Two names that are at least this similar count as a typo.
_SIMILARITY: Final = 0.65
_NESTED_SIMILARITY: Final = 0.9  # higher, since all of these have the same beginning


class InvalidSettings(Exception):
    """The program cannot start with these. `problems` are sentences."""

    def __init__(self, problems: Iterable[str]) -> None:
        # A name in a file may contain anything, and each sentence must stay one line.
        self.problems: Sequence[str] = tuple(map(printable, problems))
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Problem:
    """`text` follows the name of the setting at `path`, for example `: must be a list`.

    With an empty path, `text` is the whole sentence. `suggestion` is the path of the setting that
    was probably meant.
    """

    path: tuple[str, ...]
    text: str
    suggestion: tuple[str, ...] = ()

    def sentence(self, name: Callable[..., str]) -> str:
        """`name` renders a path in the form of its source."""
        hint = f"; did you mean {name(*self.suggestion)}?" if self.suggestion else ""
        return f"{name(*self.path) if self.path else ''}{self.text}{hint}"


def variable(*path: object) -> str:
    """The name of a setting in the environment."""
    return PREFIX + "__".join(str(part).upper().replace("-", "_") for part in path)


def unknown(path: Sequence[str], known: Iterable[Sequence[str]]) -> Problem:
    return Problem(tuple(path), " is not a setting", nearest(path, known))


def problems_of(error: ValidationError, known: Iterable[Sequence[str]]) -> list[Problem]:
    """`known` are the paths of settings, with which a misspelt one is compared."""
    known = list(known)
    return [_problem(details, known) for details in error.errors(include_input=False)]


def _problem(details: Mapping[str, Any], known: Iterable[Sequence[str]]) -> Problem:
    path = tuple(part for part in details["loc"] if isinstance(part, str))
    match details["type"]:
        case "extra_forbidden":
            return unknown(path, known)
        case "value_error":
            return Problem(path, f": {details['ctx']['error']}")
        case "model_type" | "dict_type":
            meant = nearest(path, known)
            text = " is not a setting" if meant else ": must be a table of settings"
            return Problem(path, text, meant)
        case "string_type":
            return Problem(path, ": must be text")
        case _:
            message = str(details["msg"])
            return Problem(path, f": {message[0].lower()}{message[1:]}")


def must_be_one_of(options: Iterable[str], value: object) -> str:
    """The message names the option that is similar to `value`, but never `value` itself."""
    options = list(options)
    near = difflib.get_close_matches(str(value).lower(), options, 1, _SIMILARITY)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"must be one of {', '.join(options)}{hint}"


def nearest(path: Sequence[str], known: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The most similar known path; empty if none is similar."""
    others = [tuple(other) for other in known if tuple(other) != tuple(path)]
    # In a file the names have no prefix.
    path = (*path[:-1], path[-1].lower().removeprefix(PREFIX.lower()))
    siblings = {other[-1]: other for other in others if other[:-1] == path[:-1]}
    if near := difflib.get_close_matches(path[-1], list(siblings), 1, _SIMILARITY):
        return siblings[near[0]]
    # For a table and its setting that are joined with one underscore or with a dash.
    nested = {_flat(other): other for other in others if len(other) > len(path)}
    if near := difflib.get_close_matches(_flat(path), list(nested), 1, _NESTED_SIMILARITY):
        return nested[near[0]]
    # For a name that lacks words, such as the table's.
    longer = [other for other in others if _words(path) < _words(other)]
    return longer[0] if len(longer) == 1 else ()


def _words(path: Sequence[str]) -> set[str]:
    return set(filter(None, _flat(path).split("_")))


def _flat(path: Sequence[str]) -> str:
    return "__".join(path).lower().replace("-", "_")
