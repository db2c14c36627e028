"""On what was measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.side_by_side.sides import installed_nginx


def measured_on() -> str:
    programs = [f"Python {platform.python_version()}", f"aiohttp {version('aiohttp')}"]
    if (program := installed_nginx()) is not None:
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        programs.append(f"nginx {told.strip().rpartition('/')[2]}")
    return (
        f"on {datetime.now(UTC):%Y-%m-%d} with {', '.join(programs)} on {os.cpu_count()} cores of "
        f"{_processor()}, with a load average of {os.getloadavg()[2]:.1f} at the end (1 or 2 is "
        "the benchmark itself)"
    )


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, model = text.partition(":")
        if name.strip() == "model name":
            return model.strip()
    return platform.machine()
