"""Every pattern of the program, and texts that make a pattern with bad backtracking slow."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

from tests.modules import modules

# The functions of `re` whose first argument is a pattern.
# They try a pattern at every position of a text.
_SEARCHES: Final = {"search", "finditer", "findall", "sub", "split"}
_FUNCTIONS: Final = {"compile", "match", "fullmatch", *_SEARCHES}


_ATTACKS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern, where it is, and whether it is searched for at every position."""

    where: str
    pattern: re.Pattern[Any]
    searched: bool


def all_patterns() -> Iterator[Found]:
    """Raises ValueError if a function makes a pattern: then it could not be found."""
    trees = {m: ast.parse(Path(m.__file__ or "").read_text()) for m in modules()}
    searched = {name for tree in trees.values() for name in _searched(tree)}
    known = set()
    for module, tree in trees.items():
        _check_makes_none(tree, module.__name__)
        for constant, value in vars(module).items():
            for name, pattern in _patterns_in(constant, value):
                if pattern not in known:
                    known.add(pattern)
                    where = f"{module.__name__}.{constant}[{len(known)}]"
                    yield Found(where, pattern, name is None or name in searched)


def _searched(tree: ast.AST) -> Iterator[str]:
    """The names of constants and members with which a text is searched."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _SEARCHES:
            yield ast.unparse(node.value).rpartition(".")[2]


def _check_makes_none(tree: ast.AST, module: str) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for function in ast.walk(tree):
        for node in ast.walk(function) if isinstance(function, functions) else ():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)):
                    if name in _FUNCTIONS:
                        raise ValueError(f"{module}:{node.lineno}: make the pattern in the module")


def _patterns_in(name: str | None, value: object) -> Iterator[tuple[str | None, re.Pattern[Any]]]:
    """With the name under which a pattern is used; None in a collection."""
    match value:
        case re.Pattern():
            yield name, value
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from _patterns_in(None, one)
        case dict():
            yield from _patterns_in(None, [*value, *value.values()])
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                yield from _patterns_in(field.name, getattr(value, field.name))


@dataclass(frozen=True, slots=True)
class Attack:
    """A repeated piece, after a start that matches."""

    start: str
    piece: str
    end: str

    def text(self, pattern: re.Pattern[Any], length: int) -> Any:
        text = self.start + self.piece * (length // len(self.piece)) + self.end
        return text if isinstance(pattern.pattern, str) else text.encode()


def attacks(pattern: re.Pattern[Any]) -> list[Attack]:
    """At most 1,000, evenly chosen."""
    tree = _parser.parse(pattern.pattern, pattern.flags)
    pieces = {"a", "/", " "}
    starts = {""}
    _collect(tree, "", pieces, starts)
    single = sorted(piece for piece in pieces if piece)
    pairs = [one + two for one in single for two in single]
    every = [
        Attack(start, piece, end)
        for start in sorted(starts)
        for piece in [*single, *filter(None, sorted(starts)), *pairs]
        for end in ("", "\x00")
    ]
    return every[:: len(every) // _ATTACKS + 1]


def _collect(tree: Iterable[Any], before: str, pieces: set[str], starts: set[str]) -> str:
    """Adds examples of all parts of `tree`; returns `before` with an example of the whole."""
    for operation, argument in tree:
        starts.add(before)
        example = ""
        match operation:
            case c.LITERAL:
                example = chr(argument)
            case c.NOT_LITERAL | c.ANY:
                example = "b"
            case c.IN:
                examples = _members(argument)
                pieces.update(examples)
                example = examples[0]
            case c.MAX_REPEAT | c.MIN_REPEAT | c.POSSESSIVE_REPEAT:
                _, _, inner = argument
                example = _collect(inner, before, pieces, starts).removeprefix(before)
            case c.SUBPATTERN:
                example = _collect(argument[3], before, pieces, starts).removeprefix(before)
            case c.ATOMIC_GROUP:
                example = _collect(argument, before, pieces, starts).removeprefix(before)
            case c.BRANCH:
                examples = [
                    _collect(branch, before, pieces, starts).removeprefix(before)
                    for branch in argument[1]
                ]
                pieces.update(examples)
                example = examples[0]
            case c.ASSERT | c.ASSERT_NOT:
                _collect(argument[1], before, pieces, starts)
            case c.AT:
                pass
            case _:
                raise ValueError(f"an unknown part of a pattern: {operation}")
        pieces.add(example)
        before += example
    return before


def _members(items: list[tuple[Any, Any]]) -> list[str]:
    """Characters that a set matches."""
    if items[0][0] is c.NEGATE:
        refused = re.compile("[" + _source(items[1:]) + "]")
        return [one for one in "b-0:.~" if not refused.match(one)] or ["é"]
    found: list[str] = []
    for operation, argument in items:
        match operation:
            case c.LITERAL:
                found.append(chr(argument))
            case c.RANGE:
                found.append(chr(argument[0]))
            case c.CATEGORY:
                found.append(_CATEGORIES[argument])
    return found


_CATEGORIES: Final = {
    c.CATEGORY_SPACE: " ",
    c.CATEGORY_NOT_SPACE: "b",
    c.CATEGORY_DIGIT: "0",
    c.CATEGORY_NOT_DIGIT: "b",
    c.CATEGORY_WORD: "b",
    c.CATEGORY_NOT_WORD: "-",
}


def _source(items: list[tuple[Any, Any]]) -> str:
    written = {c.CATEGORY_SPACE: r"\s", c.CATEGORY_DIGIT: r"\d", c.CATEGORY_WORD: r"\w"}
    parts = []
    for operation, argument in items:
        match operation:
            case c.LITERAL:
                parts.append(re.escape(chr(argument)))
            case c.RANGE:
                parts.append(f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}")
            case c.CATEGORY:
                parts.append(written[argument])
    return "".join(parts)
