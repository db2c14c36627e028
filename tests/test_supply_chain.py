"""What `make check` says about the packages that the image installs."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = (ROOT / "deploy/requirements.lock").read_text()


def make(target: str, *variables: str, **changes: str) -> subprocess.CompletedProcess[str]:
    # These tests can run below another make.
    inherited = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    return subprocess.run(
        # What is installed is old enough not to be installed again.
        ["make", "--old-file=.venv/.installed", target, *variables],
        cwd=ROOT,
        env={**inherited, **changes},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_audit_that_cannot_ask_fails() -> None:
    unreachable = "http://127.0.0.1:9"
    done = make("audit", HTTPS_PROXY=unreachable, https_proxy=unreachable, NO_PROXY="", no_proxy="")
    assert done.returncode != 0
    assert "vulnerabilities found" not in done.stdout + done.stderr


def test_a_licence_that_was_not_agreed_to_fails() -> None:
    done = make("licences", "LICENCES=MIT")
    assert done.returncode != 0
    assert "aiohttp" in done.stdout + done.stderr


def test_every_shipped_package_is_in_the_bill_of_materials(tmp_path: Path) -> None:
    done = make("sbom", f"SBOM={tmp_path}/sbom.json")
    assert done.returncode == 0, done.stderr
    components = json.loads((tmp_path / "sbom.json").read_text())["components"]
    named = {(component["name"], component["version"]) for component in components}
    locked = set(re.findall(r"^([a-z0-9._-]+)(?:\[.*])?==([^ ;]+)", SHIPPED, re.MULTILINE))
    assert named == locked
    assert all(component["externalReferences"][0]["hashes"] for component in components)


@pytest.mark.parametrize("lock", ["requirements.lock", "deploy/requirements.lock"])
def test_every_locked_package_has_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    without = [entry.split()[0] for entry in entries if "==" in entry and "--hash=" not in entry]
    assert not without
