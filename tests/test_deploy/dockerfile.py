"""Reads deploy/Dockerfile: as much of the language as that file uses."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.test_documentation import ROOT

DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"

_VARIABLE: Final = re.compile(r"\$\{(\w+):\+([^}]*)\}|\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str

    @property
    def pairs(self) -> Mapping[str, str]:
        """Of ENV and LABEL."""
        return dict(pair.split("=", 1) for pair in shlex.split(self.text))

    @property
    def words(self) -> Sequence[str]:
        """Of an instruction with JSON's form or with plain words."""
        text = self.text
        return json.loads(text) if text.startswith("[") else shlex.split(text)


@dataclass
class Stage:
    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def the(self, name: str) -> Instruction:
        """The only instruction of that name."""
        (found,) = (each for each in self.instructions if each.name == name)
        return found


def stages(arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """The stages with the build arguments that their base images name."""
    given = dict(arguments or {})
    found: list[Stage] = []
    for instruction in _instructions(DOCKERFILE.read_text()):
        if instruction.name == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            found.append(Stage(name, expand(base, given)))
        elif found:
            found[-1].instructions.append(instruction)
        else:
            assert instruction.name == "ARG", instruction
            name, _, default = instruction.text.partition("=")
            given.setdefault(name, default)
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}` and `${NAME:+text}`, as a builder expands them."""

    def value(match: re.Match[str]) -> str:
        if match[1] is not None:
            return expand(match[2], variables) if variables.get(match[1]) else ""
        return variables.get(match[3] or match[4], "")

    return _VARIABLE.sub(value, text)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, rest = line.split(maxsplit=1)
            yield Instruction(name, rest.strip())
