"""The optional TOML file with settings, and the line of each setting in it."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from proxy.setting_values import canonical_name
from proxy.settings_problems import InvalidSettings, Problem

# The tables whose entries have names of their own, and what an entry is.
_TABLES: Final = {"providers": "provider", "clients": "client"}
_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class SettingsFile:
    """In `content`, the names of providers and clients have their canonical spelling."""

    def __init__(self, path: Path) -> None:
        """Raises InvalidSettings."""
        self._path = path
        self._text = _text_of(path)
        content = _parse(path, self._text)
        self.problems = [each for table in _TABLES for each in _repeated(table, content)]
        self.content = by_name(content)

    def has(self, path: Sequence[str]) -> bool:
        return _has(self.content, path)

    def sentence(self, problem: Problem) -> str:
        line = self._line_of(problem.path)
        place = f"{self._path}, line {line}" if line else f"{self._path}"
        return f"{place}: {problem.sentence(_dotted)}"

    def _line_of(self, path: Sequence[str]) -> int | None:
        """The first line of the statement that sets `path`.

        The first lines of a TOML file are valid TOML only if they end with a whole statement.
        """
        lines = self._text.split("\n")
        first = 1
        for last in range(1, len(lines) + 1):
            try:
                content = tomllib.loads("\n".join(lines[:last]))
            except tomllib.TOMLDecodeError:
                continue
            if _has(by_name(content), path):
                return first
            first = last + 1
        return None


def by_name(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with canonical names of providers and clients, so that sources can be merged."""
    named = {table: _canonical(content[table]) for table in _TABLES if table in content}
    return {**content, **named}


def _canonical(table: Any) -> Any:
    if not isinstance(table, dict):
        return table
    named: dict[str, Any] = {}
    for name, settings in table.items():
        named = merged(named, {canonical_name(name): settings})
    return named


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged; any other value in `above` takes precedence."""
    result = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            result[key] = merged(below[key], above[key])
    return result


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidSettings([f"cannot read {path}: {error.strerror}"]) from None
    try:
        # Editors on Windows may write a byte order mark, which is not valid TOML.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidSettings([f"{path}, line {line}: the file is not UTF-8"]) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings([f"{path}, {_syntax_problem(str(error), text)}"]) from None
    except RecursionError:
        raise InvalidSettings([f"{path}: the file is nested too deeply"]) from None


def _syntax_problem(message: str, text: str) -> str:
    """tomllib's messages end with the position, and quote no value."""
    position = _POSITION.search(message)
    if position is None:
        return f"not TOML: {message}"
    line, column = position.groups()
    if line is None:
        lines = text.split("\n")
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
    return f"line {line}, column {column}: not TOML: {message[: position.start()].lower()}"


def _repeated(table: str, content: Mapping[str, Any]) -> Iterator[Problem]:
    entries = content.get(table)
    spellings: dict[str, str] = {}
    for name in entries if isinstance(entries, dict) else ():
        first = spellings.setdefault(canonical_name(name), name)
        if first != name:
            yield Problem(
                (table, canonical_name(name)),
                f": {first} and {name} are the same name; give the {_TABLES[table]} only once",
            )


def _has(content: Mapping[str, Any], path: Sequence[str]) -> bool:
    found: Any = content
    for part in path:
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return bool(path)


def _dotted(*path: str) -> str:
    return ".".join(path)
