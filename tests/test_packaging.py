"""Only our packages are installed, and the locks match `pyproject.toml`."""

import importlib.metadata
import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RUNTIME_LOCK = ROOT / "deploy" / "requirements.lock"
BUILD_LOCK = ROOT / "deploy" / "build.lock"
TOP_LEVEL_NAMES = ("proxy", "middlewares", "providers")
LOCKS = (
    ROOT / "requirements.lock",
    ROOT / "tests/end_to_end/requirements-sdk2.lock",
    *sorted((ROOT / "tests/end_to_end/frameworks").glob("*.lock")),
    RUNTIME_LOCK,
    BUILD_LOCK,
)

PIN = re.compile(
    r"^([a-z0-9.-]+)(?:\[[a-z0-9, -]+\])?==(\S+)"
    r"((?:.*\\\n)(?:    --hash=sha256:[0-9a-f]{64}.*\n)*)",
    re.M,
)


@pytest.mark.parametrize("name", TOP_LEVEL_NAMES)
def test_a_top_level_name_is_ours(name: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(name, ()))
    spec = importlib.util.find_spec(name)

    assert owners == {"genai-ferry"}, "run `make install`"
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def test_nothing_else_is_installed_by_the_distribution() -> None:
    top_level = importlib.metadata.distribution("genai-ferry").read_text("top_level.txt")

    assert top_level is not None
    assert sorted(top_level.split()) == sorted(TOP_LEVEL_NAMES)


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def build_requirements() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]


def pinned(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in PIN.findall(lock.read_text())}


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        (LOCKS[0], project()["dependencies"] + project()["optional-dependencies"]["dev"]),
        # The image can trace.
        (RUNTIME_LOCK, [*project()["dependencies"], *project()["optional-dependencies"]["otel"]]),
        (BUILD_LOCK, build_requirements()),
    ],
    ids=["development", "runtime", "build"],
)
def test_a_lock_satisfies_the_requirements(lock: Path, asked: list[str]) -> None:
    pins = pinned(lock)

    for requirement in map(Requirement, asked):
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("lock", [RUNTIME_LOCK, BUILD_LOCK], ids=lambda path: path.name)
def test_the_image_has_the_versions_that_are_tested(lock: Path) -> None:
    assert pinned(lock).items() <= pinned(LOCKS[0]).items()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_pin_is_hashed_and_names_no_registry(lock: Path) -> None:
    text = lock.read_text()
    pins = PIN.findall(text)

    assert len(pins) == len(re.findall(r"^[a-z]", text, re.M))
    assert all("--hash=sha256:" in hashes for _, _, hashes in pins)
    assert "://" not in text
