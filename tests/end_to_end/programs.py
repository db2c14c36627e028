"""Programs that tests run and that come from system packages: nginx, a browser."""

import os
import shutil

import pytest

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


def require_program(name: str, package: str) -> str:
    """The program's path. Without the program, the test is skipped; in CI it fails.

    In CI `.ci/run` installs Debian's packages, where there is apt-get and it runs as root.
    """
    found = shutil.which(name, path=_PATH)
    if found is not None:
        return found
    absent = f"{name} is missing: install {package}, the name of its package in Debian"
    installable = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if os.environ.get("CI") == "true" and installable:
        pytest.fail(absent)
    pytest.skip(absent)
