"""Runs promtool, which checks rules and queries of Prometheus."""

import subprocess

from tests.test_deploy.tools import require_tool


def promtool(*arguments: str) -> str:
    """What it prints; it must find nothing wrong."""
    done = subprocess.run(
        [require_tool("promtool", "apt-get"), *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
