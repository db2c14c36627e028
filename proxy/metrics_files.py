"""The files in which workers share their metrics, on a disk that may be full.

prometheus_client writes to files without blocks of their own through memory: when the disk has no
block left, the kernel ends the process. Here the blocks are reserved first. Without them the
figures of this process, or the new ones of them, are not shared, and no request fails.

Beyond its public interface this file uses `_f`, `_m`, `_capacity`, `_used` and `_positions` of
`MmapedDict`. test_metrics_files.py shows when they change.
"""

import logging
import mmap
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client.mmap_dict import MmapedDict

_FIRST_BYTES: Final = 1 << 16
# What an entry has besides its key: its length, padding, a value and a time.
_ENTRY_BYTES: Final = 32

_log: Final = logging.getLogger(__name__)


class MetricsFile(MmapedDict):
    def __init__(self, filename: str) -> None:
        try:
            with Path(filename).open("ab") as file:
                _reserve(file.fileno(), _FIRST_BYTES)
            super().__init__(filename)  # type: ignore[no-untyped-call]
        except OSError as error:
            with suppress(OSError):  # an empty file cannot be read
                Path(filename).unlink()
            _log.warning("metrics are not shared", extra={"reason": error.strerror})
            self._in_memory()

    def read_value(self, key: str) -> tuple[float, float]:
        try:
            value, time = super().read_value(key)  # type: ignore[no-untyped-call]
        except OSError:
            return 0.0, 0.0
        return value, time

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """A value that has no place keeps counting, and gets one when there is space."""
        with suppress(OSError):
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        size, needed = self._capacity, self._used + len(key.encode()) + _ENTRY_BYTES
        while size < needed:
            size *= 2
        if self._f is not None:
            _reserve(self._f.fileno(), size)
        elif size > self._capacity:
            raise OSError("no file to grow")
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _in_memory(self) -> None:
        self._f = None  # type: ignore[assignment]
        self._m = mmap.mmap(-1, _FIRST_BYTES)
        self._capacity, self._used = _FIRST_BYTES, 8
        self._positions: dict[str, int] = {}


def _reserve(descriptor: int, size: int) -> None:
    if sys.platform != "darwin":  # macOS cannot
        os.posix_fallocate(descriptor, 0, size)
