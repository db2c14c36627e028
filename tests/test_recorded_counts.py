"""A recorded number may be undercut, and exceeded by a tenth."""

from pathlib import Path

import pytest

from tests import recorded_counts
from tests.recorded_counts import RECORDING, check_python_calls, recorded_calls


@pytest.fixture(autouse=True)
def _recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_counts, "FOLDER", tmp_path / "recorded")
    monkeypatch.setenv(RECORDING, "1")
    check_python_calls("lines", "a", 100)
    recorded_calls("store", "a", {"get": 1, "upstream": 2})
    monkeypatch.delenv(RECORDING)


@pytest.mark.parametrize("found", [1, 100, 110])
def test_fewer_calls_and_up_to_a_tenth_more_pass(found: float) -> None:
    check_python_calls("lines", "a", found)


def test_more_calls_fail() -> None:
    with pytest.raises(AssertionError, match="a: 111 calls; 100 were recorded"):
        check_python_calls("lines", "a", 111)


def test_another_version_of_python_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_counts, "_VERSION", "3.99")
    with pytest.raises(pytest.skip.Exception, match=r"Python 3\.99: run `make record-calls`"):
        check_python_calls("lines", "a", 1)


def test_recorded_rows_stay_as_they_are() -> None:
    assert recorded_calls("store", "a", {"get": 5}) == {"get": 1, "upstream": 2}
