"""`python -m tests.test_faults.small_disk`: the proxy, on a disk that is full after a few bytes.

No file can grow beyond LARGEST_FILE: the kernel refuses the write, as on a full disk.
"""

import resource
import runpy
from typing import Final

LARGEST_FILE: Final = 64 << 10

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    runpy.run_module("proxy", run_name="__main__")
