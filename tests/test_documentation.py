"""What the documents name exists.

tests/end_to_end/test_readme.py checks that the README's programs work.
"""

import json
import re
from pathlib import Path

import botocore.session
import pytest

from proxy.client_settings import ClientSettings
from proxy.kinds import KINDS
from proxy.provider_settings import settings_of
from proxy.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "deploy" / "docs").rglob("*.md")),
]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\bFERRY_[A-Z0-9_]+\b")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def fenced_blocks(document: Path, language: str) -> list[str]:
    return [code for tag, code in FENCED.findall(document.read_text()) if tag == language]


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    in_code = re.findall(r"`[^`]*`|^```.*?^```", document.read_text(), re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(in_code)))

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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(document: Path) -> None:
    named = set(VARIABLE.findall(document.read_text()))

    assert named <= settings()


def settings() -> set[str]:
    general = {f"FERRY_{field.upper()}" for field in Settings.model_fields}
    of_providers = {
        f"FERRY_PROVIDERS__{name.upper()}__{field.upper()}"
        for name, kind in KINDS.items()
        for field in settings_of(kind)
    }
    of_clients = {f"FERRY_CLIENTS__WEB__{field.upper()}" for field in ClientSettings.model_fields}
    # Placeholders in documents: `FERRY_PROVIDERS__<NAME>__…`, `FERRY_PROVIDERS__BEDROCK__…`.
    begun = {"FERRY_PROVIDERS__", *(f"FERRY_PROVIDERS__{name.upper()}__" for name in KINDS)}
    begun.add("FERRY_CLIENTS__")
    return general | of_providers | of_clients | begun | {"FERRY_CONFIG"}


def actions_of_bedrock() -> set[str]:
    """The actions that the policies allow."""
    document = ROOT / "deploy" / "docs" / "bedrock.md"
    signer, _, _ = (json.loads(block) for block in fenced_blocks(document, "json"))
    lists = [one["Action"] for one in signer["Statement"] if isinstance(one["Action"], list)]
    return {action for actions in lists for action in actions if action.startswith("bedrock:")}


def test_the_policies_are_json_and_name_operations_of_bedrock() -> None:
    session = botocore.session.get_session()
    operations = {
        f"bedrock:{name}"
        for service in ("bedrock", "bedrock-runtime")
        for name in session.get_service_model(service).operation_names
    }

    assert len(actions_of_bedrock()) == 5
    assert actions_of_bedrock() <= operations


def test_every_promise_names_tests_that_exist() -> None:
    text = (ROOT / "deploy" / "docs" / "reliability.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "test |" not in line]

    assert len(rows) > 30
    for row in rows:
        named = re.findall(r"`(tests/[a-z_0-9/]+\.py)::(test_\w+)`", row)
        assert named, row
        for file, test in named:
            functions = re.findall(r"^(?:async )?def (\w+)\(", (ROOT / file).read_text(), re.M)
            assert test in functions, f"{file}::{test}"
