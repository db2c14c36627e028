"""Each test runs in its own process, since the options of the allocator apply to all of it."""

import platform
import subprocess
import sys

import pytest


def told(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_only_glibc_is_configured() -> None:
    script = "from proxy.allocator import keep_freed_memory; print(keep_freed_memory())"
    assert told(script) == str(platform.libc_ver()[0] == "glibc")


def test_another_allocator_is_not_changed() -> None:
    script = (
        "import ctypes; ctypes.CDLL = lambda _: object();"
        "from proxy.allocator import keep_freed_memory; print(keep_freed_memory())"
    )
    assert told(script) == "False"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_memory_between_objects_is_given_back() -> None:
    script = """
from pathlib import Path
from proxy.allocator import give_back, keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

keep_freed_memory()
objects = [bytes(64 << 10) for _ in range(2000)]
kept = objects[::100]
del objects
before = resident()
give_back()
print(before - resident() > 100 << 20)
"""
    assert told(script) == "True"
