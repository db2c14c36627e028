"""Without helm the tests of the charts are skipped; in CI they fail, unless Go is missing too."""

import shutil
from pathlib import Path

import pytest

from tests.test_deploy import helm


@pytest.fixture(autouse=True)
def _no_helm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(helm, "HELM", tmp_path / "helm")
    monkeypatch.setattr(shutil, "which", {"go": "/usr/bin/go"}.get)


def test_absent_helm_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="run `make tools`"):
        helm.require_helm()


def test_absent_helm_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="`make tools` installs it"):
        helm.require_helm()


def test_without_go_it_skips_even_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(shutil, "which", {}.get)

    with pytest.raises(pytest.skip.Exception, match="no go on this machine"):
        helm.require_helm()
