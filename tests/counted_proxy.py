"""The proxy in a process that counts the calls of functions, in Python and C, in its main thread.

`python -m tests.counted_proxy` keeps the number in the file that the environment names.
"""

import mmap
import os
import sys
from types import FrameType
from typing import Final

CALLS_FILE: Final = "CALLS_FILE"
SIZE: Final = 8


def main() -> int:
    with open(os.environ[CALLS_FILE], "r+b") as file:  # noqa: PTH123 - the path is a string
        calls = memoryview(mmap.mmap(file.fileno(), SIZE)).cast("Q")

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            calls[0] += 1

    sys.setprofile(count)
    from proxy.__main__ import main as serve  # noqa: PLC0415 - its calls are counted too

    return serve()


if __name__ == "__main__":
    sys.exit(main())
