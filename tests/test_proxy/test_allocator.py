"""Each test runs in its own process, since the options of the allocator apply to all of it."""

import platform
import subprocess
import sys


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
