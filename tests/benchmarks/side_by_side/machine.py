"""On what was measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.side_by_side.sides import installed_nginx


def measured_on() -> str:
    """A sentence for the reports, at the end of a run."""
    programs = [f"Python {platform.python_version()}", f"aiohttp {version('aiohttp')}"]
    if (program := installed_nginx()) is not None:
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        programs.append(f"nginx {told.strip().rpartition('/')[2]}")
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with {', '.join(programs)} on "
        f"{os.cpu_count()} cores of {_processor()}; load average at the end "
        f"{os.getloadavg()[2]:.1f} (1 or 2 is the benchmark itself)."
    )


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, model = text.partition(":")
        if name.strip() == "model name":
            return model.strip()
    return platform.machine()
