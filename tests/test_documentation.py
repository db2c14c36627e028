"""The documents say what is so: what they name exists.

That the README's programs work is seen by tests/end_to_end/test_readme.py.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def fenced_blocks(document: Path, language: str) -> list[str]:
    return [code for tag, code in FENCED.findall(document.read_text()) if tag == language]


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    in_code = re.findall(r"`[^`]*`|^```.*?^```", document.read_text(), re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(in_code)))

    assert named <= makefile_targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_linked_exists(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_readme_opens_with_the_two_commands() -> None:
    first_block = fenced_blocks(ROOT / "README.md", "")[0]

    assert re.findall(r"^make \w+", first_block, re.MULTILINE) == ["make demo", "make test"]


def test_ci_runs_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111 == 0o111
    assert script.read_text().splitlines()[-1] == "make test"
