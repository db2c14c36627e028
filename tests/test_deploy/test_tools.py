"""Without a tool its tests are skipped; in CI they fail, unless its installer is missing too."""

import shutil
from pathlib import Path

import pytest

from tests.test_deploy import tools


@pytest.fixture(autouse=True)
def _no_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    monkeypatch.setattr(shutil, "which", {"go": "/usr/bin/go"}.get)


def test_an_absent_tool_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="run `make tools`"):
        tools.require_tool("helm", "go")


def test_an_absent_tool_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="`make tools` installs it"):
        tools.require_tool("helm", "go")


def test_without_the_installer_it_skips_even_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.skip.Exception, match="needs apt-get"):
        tools.require_tool("promtool", "apt-get")


def test_the_tool_of_the_repository_comes_first(tmp_path: Path) -> None:
    (tmp_path / "helm").touch()

    assert tools.require_tool("helm", "go") == str(tmp_path / "helm")
