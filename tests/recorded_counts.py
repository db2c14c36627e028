"""Recorded numbers of calls, against which tests compare what they count.

`make record-calls` writes the tables in `tests/recorded` again, with the numbers of today. Do so
when a change makes numbers smaller, so that the next growth is seen from there; a smaller number
never fails. Where a change must make one larger, the commit says why.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

FOLDER: Final = Path(__file__).parent / "recorded"
RECORDING: Final = "RECORD_CALLS"
GROWTH: Final = 1.1
_VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


def table(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return document


def recorded_calls(name: str, row: str, found: Mapping[str, int]) -> Mapping[str, int]:
    """The numbers of `row`; while recording, those are `found`."""
    if RECORDING in os.environ:
        _write(name, table(name) | {row: dict(sorted(found.items()))})
        return found
    calls: Mapping[str, int] = table(name)[row]
    return calls


def check_python_calls(name: str, row: str, found: float) -> None:
    """Fails if `found` is over a tenth more than recorded for this version of Python.

    Versions differ: 3.12, for example, runs comprehensions without a call.
    """
    versions = table(name)
    if RECORDING in os.environ:
        rows = versions.get(_VERSION, {}) | {row: round(found)}
        _write(name, versions | {_VERSION: rows})
        return
    if _VERSION not in versions:
        pytest.skip(f"no calls are recorded for Python {_VERSION}: run `make record-calls` with it")
    recorded = versions[_VERSION][row]
    assert found <= recorded * GROWTH, f"{row}: {found:.0f} calls; {recorded} were recorded"


def _write(name: str, document: Mapping[str, Any]) -> None:
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(document, indent=2, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(text + "\n")
