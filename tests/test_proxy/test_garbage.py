"""In its own process, since the collector is that of all tests."""

import subprocess
import sys

SCRIPT = """
import gc
from proxy.garbage import importing
with importing():
    assert not gc.isenabled()
assert gc.isenabled()
assert gc.get_freeze_count() > 1_000
from proxy.garbage import collect_rarely
before = gc.get_threshold()
collect_rarely()
assert gc.get_threshold()[0] > 10 * before[0]
assert gc.get_threshold()[1:] == before[1:]
assert gc.get_freeze_count() > 1_000
cycle = []
cycle.append(cycle)
del cycle
assert gc.collect() == 1
"""


def test_new_cycles_are_found_and_old_objects_are_left_alone() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
