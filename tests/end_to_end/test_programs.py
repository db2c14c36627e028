"""A missing program skips its tests on a developer's machine, and fails them in CI."""

import os
from pathlib import Path

import pytest

from tests.end_to_end import programs
from tests.end_to_end.programs import require_program

ABSENT = "no-such-program is missing: install its-package"


def installable(monkeypatch: pytest.MonkeyPatch, directory: Path, *, root: bool, apt: bool) -> None:
    """Sets the user who runs the tests, and whether there is apt-get."""
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setenv("PATH", str(directory))
    if apt:
        (directory / "apt-get").touch(mode=0o755)


def test_a_program_is_found_outside_the_users_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "some-program").touch(mode=0o755)
    monkeypatch.setattr(programs, "_PATH", f"/nowhere{os.pathsep}{tmp_path}")

    assert require_program("some-program", "its-package") == str(tmp_path / "some-program")


def test_outside_ci_it_skips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CI", raising=False)
    installable(monkeypatch, tmp_path, root=True, apt=True)

    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        require_program("no-such-program", "its-package")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    installable(monkeypatch, tmp_path, root=True, apt=True)

    with pytest.raises(pytest.fail.Exception, match=ABSENT):
        require_program("no-such-program", "its-package")


@pytest.mark.parametrize(("root", "apt"), [(False, True), (True, False)])
def test_in_ci_it_skips_if_it_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: bool, apt: bool
) -> None:
    monkeypatch.setenv("CI", "true")
    installable(monkeypatch, tmp_path, root=root, apt=apt)

    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        require_program("no-such-program", "its-package")
