"""Every limit of inputs is in one table, in the code and in the documentation."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from providers.limits import Limit
from tests.modules import PACKAGES, ROOT, modules

PAGE = ROOT / "deploy" / "docs" / "limits.md"
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TABLE = ROOT / "providers" / "limits.py"

NAMED_AS_A_LIMIT = re.compile(r"(^|_)(LIMIT|MAX|MAXIMUM|MOST|LONGEST|LARGEST|DEEPEST)(_|$)")
# Bounds of what the proxy itself writes, keeps or shows, and the settings of an operator.
NO_LIMITS_OF_INPUTS = {
    "_MAX_BYTES",  # of the header x-ferry-warnings
    "_MAX_PATHS",
    "_LARGEST_PAGE",  # what is asked of an upstream
    "_DEFAULT_MAX_TOKENS",
    "_LARGEST",  # the largest integer of 64 bits
    "_MOST_CALLS",
    "MOST_ENTRIES",  # of the credentials that are remembered
    "MOST_KEPT",  # of the records that are remembered
    "_LONGEST_SECONDS",  # of a pause
}


def limits() -> Mapping[str, Limit]:
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, Limit) and _defines(module.__file__, name)
    }


def _defines(file: str | None, name: str) -> bool:
    return re.search(rf"^{name}: Final = Limit\(", Path(file or "").read_text(), re.M) is not None


def numbers_of(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The constants that are numbers, of the module and of its classes."""
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value


def is_limit(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "Limit"


def test_no_other_module_names_a_number_as_a_limit() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name, value in numbers_of(ast.parse(path.read_text()))
        if NAMED_AS_A_LIMIT.search(name)
        and name not in NO_LIMITS_OF_INPUTS
        and isinstance(value, ast.Constant | ast.BinOp)
    }

    assert found == set()


def test_only_the_table_and_the_providers_folders_define_limits() -> None:
    own = {path.parent.name for path in (ROOT / "providers").glob("*/provider.py")}
    elsewhere = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path != TABLE and path.relative_to(ROOT).parts[1] not in own
        for name, value in numbers_of(ast.parse(path.read_text()))
        if is_limit(value)
    }

    assert elsewhere == set()


def test_a_length_is_compared_only_with_a_limit_that_is_named() -> None:
    """A number in the code would be a limit that no table has."""
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(ast.unparse(side).startswith("len(") for side in [node.left, *node.comparators])
        and any(
            isinstance(side, ast.Constant) and isinstance(side.value, int) and side.value > 9
            for side in [node.left, *node.comparators]
        )
    }

    assert found == set()


def test_the_documentation_has_every_limit() -> None:
    rows = {
        f"| {limit.bounds} | {limit:,} {limit.unit} | `{name}` |"
        for name, limit in limits().items()
    }

    written = {line for line in PAGE.read_text().splitlines() if "| `providers." in line}
    assert written == rows


def test_a_limit_is_a_number() -> None:
    limit = Limit(64 << 10, "bytes", "a body")

    assert (limit, f"{limit}", limit.unit) == (65_536, "65536", "bytes")
