"""The table of stored objects against the code and against what earlier versions stored."""

import ast
from collections.abc import Mapping
from typing import Final

import pytest

from providers import stored_objects
from providers.stored_objects import TABLE, Life, Row, check_listed, check_written, row_of
from proxy.object_names import is_name
from tests.test_documentation import ROOT

# Rows without an object in a record of an earlier version, and why.
_NOT_RECORDED: Final[Mapping[Row, str]] = {
    stored_objects.STORE_CHECK: "only a bucket has it, and the records are of a directory",
    stored_objects.COUNTED: "the records are older",
    stored_objects.UNFINISHED: "only a bucket has it, and the records are of a directory",
    stored_objects.LOST: "the records are older, and its objects are used for a minute",
}
_RECORDED: Final = sorted((ROOT / "tests" / "stored").glob("v[0-9]*"))
_NAMES: Final = {row: name for name, row in vars(stored_objects).items() if isinstance(row, Row)}


def test_each_row_has_its_own_prefix() -> None:
    assert len({row.prefix for row in TABLE}) == len(TABLE)
    assert set(_NAMES) == set(TABLE)


def test_what_earlier_versions_stored_is_in_the_table() -> None:
    found = set()
    for record in _RECORDED:
        state = record / "state"
        for path in state.rglob("*="):
            name = path.relative_to(state).as_posix().removesuffix("=")
            row = row_of(name)
            assert row is not None, name
            found.add(row)
    assert found == set(TABLE) - set(_NOT_RECORDED)


def test_each_row_is_written_by_some_code() -> None:
    paths = [
        path
        for folder in ("providers", "proxy", "middlewares")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "stored_objects.py"
    ]
    used = {
        node.id
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name)
    }
    assert set(_NAMES.values()) - used == set()


@pytest.mark.parametrize(
    "name", ["", "a", "uploads", "salt/a", "upload/a", "uploads-2/a", "owned-by/a", "/salt"]
)
def test_a_name_outside_the_table_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not in the table"):
        check_written(name)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.prefix)
def test_a_name_in_the_table_is_accepted(row: Row) -> None:
    name = row.name("a", "b") if row.prefix.endswith("/") else row.name()
    check_written(name)
    assert row_of(name) is row


@pytest.mark.parametrize("length", [1, 254, 255, 508, 1024])
def test_every_store_takes_the_name_of_a_long_id(length: int) -> None:
    name = stored_objects.TABLES.name("openai", "a" * length, "b/c")
    assert is_name(name)
    assert name.replace("/", "") == f"batchesopenai{'a' * length}bc"
    # Shorter names stay what earlier versions wrote.
    assert (name == f"batches/openai/{'a' * length}/b/c") == (length <= 254)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.prefix)
def test_only_what_the_table_says_is_listed(row: Row) -> None:
    if row.listed_by:
        check_listed(row.name("tenant", ""))
    else:
        with pytest.raises(ValueError, match="lets nothing list"):
            check_listed(row.name("tenant", ""))
    check_listed("")  # the sweep lists everything


def test_what_must_never_be_swept() -> None:
    kept = {row.prefix for row in TABLE if row.life is Life.UNLIMITED}
    assert kept == {"salt", "tombstones/", "owned/"}
