"""`make frameworks` runs each row of deploy/docs/frameworks.md, in the version that it names."""

import ast
import re

import pytest

from tests.end_to_end.frameworks.page import HERE, PAGE, PROGRAMS, rows


def test_every_row_has_a_program() -> None:
    table = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]

    assert len(table) - 1 == len(rows()), "a row has no expression"
    assert rows().keys() == PROGRAMS.keys()
    assert all(program.calls for program in PROGRAMS.values())


@pytest.mark.parametrize("row", PROGRAMS)
def test_an_expression_names_what_its_program_has(row: str) -> None:
    given = {"KEY", "URL", "HEADERS", "CLIENT", "list"}
    expression = ast.parse(rows()[row].replace("…", "_"), mode="eval")
    named = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - {"_"}
    program = (HERE / f"{PROGRAMS[row].module}.py").read_text()

    assert all(re.search(rf"\b{name}\b", program) for name in named - given)


@pytest.mark.parametrize("row", PROGRAMS)
def test_a_row_names_the_version_that_is_run(row: str) -> None:
    program = PROGRAMS[row]
    lock = (HERE / f"{program.environment}.lock").read_text()
    locked = re.search(rf"^{program.package}(?:\[.*])?==([0-9]+\.[0-9]+)\.", lock, re.MULTILINE)

    assert locked is not None
    assert row.endswith(f" {locked[1]}")
