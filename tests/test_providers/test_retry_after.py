from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from providers.retry_after import retry_after_of, seconds_of_duration


def read(**headers: str) -> str | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return retry_after_of(CIMultiDict(named))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", "7"),
        ("0", "0"),
        ("1.2", "2"),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("9" * 400, None),
        ("\u0667", None),
        ("sk-secret-key", None),
    ],
)
def test_seconds(said: str, seconds: str | None) -> None:
    assert read(Retry_After=said) == seconds


def test_no_header() -> None:
    assert read() is None


@pytest.mark.parametrize(("ahead", "least", "most"), [(100, 90, 100), (-100, 0, 0)])
def test_a_date(ahead: int, least: int, most: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    assert least <= int(read(Retry_After=date) or -1) <= most


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [("7000", "7"), ("7001", "8"), ("300", "1"), ("0", "0")]
)
def test_milliseconds_are_more_exact(milliseconds: str, seconds: str) -> None:
    assert read(retry_after_ms=milliseconds, retry_after="60") == seconds


def test_unreadable_milliseconds_are_ignored() -> None:
    assert read(retry_after_ms="soon", retry_after="60") == "60"


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("34s", "34"), ("34.074824224s", "35"), ("0s", "0"), ("", None), ("-1s", None), ("7", None)],
)
def test_durations(duration: str, seconds: str | None) -> None:
    assert seconds_of_duration(duration) == seconds


@given(st.text())
def test_any_text_is_seconds_or_nothing(text: str) -> None:
    for seconds in (read(retry_after=text), read(retry_after_ms=text), seconds_of_duration(text)):
        assert seconds is None or (seconds.isdecimal() and len(seconds) <= 12)
