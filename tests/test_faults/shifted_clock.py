"""`python -m tests.test_faults.shifted_clock`: the proxy, with a wall clock that a test can move.

The seconds by which it is wrong are read from the file that SHIFT_FILE names, at every look at the
clock. The monotonic clock stays right, as it does when an operator or NTP sets the time.
"""

import datetime
import os
import runpy
import time
from pathlib import Path
from typing import Any, Final

SHIFT_FILE: Final = "SHIFT_FILE"

_file: Final = Path(os.environ.get(SHIFT_FILE, os.devnull))
_time: Final = time.time
_time_ns: Final = time.time_ns
_Datetime: Final = datetime.datetime


def _shift() -> float:
    return float(_file.read_text() or 0)


class _IsDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _Datetime)


class _Shifted(datetime.datetime, metaclass=_IsDatetime):
    """Makes usual datetimes: libraries in C know only those."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        return _Datetime(*arguments, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _Datetime.fromtimestamp(_time() + _shift(), tz)


if __name__ == "__main__":
    time.time = lambda: _time() + _shift()
    time.time_ns = lambda: _time_ns() + int(_shift() * 1e9)
    # Before the program is imported: its modules keep what they import.
    datetime.datetime = _Shifted  # type: ignore[misc]
    runpy.run_module("proxy", run_name="__main__")
