"""Shared code names no provider: what is known of one lives in its own folder."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Code that serves every provider. `proxy/kinds.py` and the settings name each provider, and
# the content packages translate between two schemas by their names.
SHARED = sorted(
    path
    for folder in (
        "middlewares",
        "providers",
        "providers/batches",
        "providers/batches/file_batches",
        "providers/json_api",
        "providers/tenancy",
        "providers/uploads",
    )
    for path in (ROOT / folder).glob("*.py")
)
# The names of providers, their services and models; the members and ids that only theirs have.
NAMES = re.compile(
    r"openai|gpt-|anthropic|claude|bedrock|converse|(?<![a-z])aws(?![a-z])|amazon|nova-|titan|mistral"
    r"|generativelanguage(?!\.v1main\.)|AIza|sk-|AKIA|msgbatch|cntr_|resp_"
    r"|recordId|modelInput|custom_id|cachedContent|cached_content|vector_store|billing|^file_ids?$",
    re.IGNORECASE,
)
# Our own word for the id of a request, as it is written in the state store; a path of Google's;
# the members by which a line of any provider's batch is known, whichever provider gets it; and a
# request header of ours.
ALLOWED = {
    ("providers/batches/request_table.py", "custom_id"),
    ("middlewares/relayed_families.py", "cachedContents"),
    ("middlewares/relayed_families.py", "cachedContents(?:[/:]|$)"),
    ("providers/prompt_cache.py", "x-ferry-anthropic-cache"),
    ("providers/uploads/batch_inputs.py", "custom_id"),
    ("providers/uploads/batch_inputs.py", "recordId"),
}


def literals(source: str) -> Iterator[str]:
    """The strings of a module that are not docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            if isinstance(node.value, bytes):
                yield node.value.decode("latin-1")
            elif isinstance(node.value, str):
                yield node.value


def test_the_strings_of_a_module() -> None:
    source = (
        '"""Docs on openai."""\nX = {"a": b"b"}\ndef f():\n    """openai"""\n    return f"c{X}"\n'
    )
    assert sorted(literals(source)) == ["a", "b", "c"]


@pytest.mark.parametrize("path", SHARED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shared_code_names_no_provider(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = [text for text in literals(path.read_text()) if NAMES.search(text)]
    assert [text for text in found if (name, text) not in ALLOWED] == []


def test_every_exception_is_needed() -> None:
    for name, text in ALLOWED:
        assert text in literals((ROOT / name).read_text())
        assert NAMES.search(text)
