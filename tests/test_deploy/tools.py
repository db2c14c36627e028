"""The programs that tests need besides Python, and that `make tools` installs."""

import os
import shutil
from typing import Final

import pytest

from tests.test_documentation import ROOT

TOOLS: Final = ROOT / ".tools" / "bin"


def require_tool(name: str, installer: str) -> str:
    """The tool's path. Without it tests are skipped, and in CI they fail.

    `make tools` gets it with the program `installer`. Without that tests are skipped in CI too.
    """
    own = TOOLS / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is not None:
        return found
    if shutil.which(installer) is None:
        pytest.skip(f"{name} is missing, and `make tools` needs {installer} to install it")
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing: `make tools` installs it")
    pytest.skip(f"{name} is missing: run `make tools`")
