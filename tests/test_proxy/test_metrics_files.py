"""Metrics of workers on a disk without space: they stay behind, and nothing else fails."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from proxy.metrics_page import shared_by_workers

# Each label takes the most that a label of ours can: a hundred fill the first 64 KiB.
LABELS = [f"{number:0128}" for number in range(400)]


class Disk:
    """`full`: no block can be reserved."""

    full = False

    def reserve(self, descriptor: int, start: int, size: int) -> None:
        if self.full and size > os.fstat(descriptor).st_size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.truncate(descriptor, max(start + size, os.fstat(descriptor).st_size))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "posix_fallocate", disk.reserve)
    return disk


def counter() -> Counter:
    return Counter("ferry_test", "A test.", ["label"], registry=CollectorRegistry())


def shown() -> dict[str, str]:
    """The values of all workers, by their labels."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    lines = generate_latest(registry).decode().splitlines()
    found = (line.partition('label="')[2].partition('"} ') for line in lines if line[0] != "#")
    return {label: value for label, _, value in found}


def test_figures_that_have_no_space_appear_when_there_is_some(disk: Disk) -> None:
    with shared_by_workers():
        counted = counter()
        counted.labels("early").inc()
        disk.full = True
        for _ in range(2):
            for label in LABELS:
                counted.labels(label).inc()
        counted.labels("early").inc()
        assert shown()["early"] == "2.0"
        assert 50 < len(shown()) < len(LABELS)
        disk.full = False
        for label in LABELS:
            counted.labels(label).inc()
        assert shown() == dict.fromkeys(LABELS, "3.0") | {"early": "2.0"}


def test_a_worker_that_starts_on_a_full_disk_shares_nothing(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.full = True
    with shared_by_workers():
        counted = counter()
        for label in LABELS:
            counted.labels(label).inc()
            counted.labels(label).inc()
        assert shown() == {}
    assert "metrics are not shared" in caplog.text


FILL: Any = """
import os, pathlib
from proxy.metrics_page import shared_by_workers
from tests.test_proxy.test_metrics_files import LABELS, counter, shown
with shared_by_workers():
    counted = counter()
    counted.labels("early").inc()
    with open(os.environ["TMPDIR"] + "/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    for label in LABELS:
        counted.labels(label).inc()
    print(shown()["early"])
"""


def test_a_full_disk_does_not_end_the_process(tmp_path: Path) -> None:
    """On a real disk, which is tiny. Reserving no blocks, the process ends with SIGBUS."""
    unshare = shutil.which("unshare")
    mount = f"mount -t tmpfs -o size=256k tmpfs {tmp_path}"
    as_root = [unshare or "", "-Urm", "sh", "-c"]
    if unshare is None or subprocess.run([*as_root, mount], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    script = f'{mount} && exec "$0" -c "$1"'
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [*as_root, script, sys.executable, FILL],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1.0\n"), done.stderr
