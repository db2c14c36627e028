from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from providers.json_api.answer_shape import http_status, time_or_none


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-26T12:00:00Z", datetime(2026, 11, 26, 12, tzinfo=UTC)),
        ("2026-11-26T12:00:00.5Z", datetime(2026, 11, 26, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-26T12:00:00", datetime(2026, 11, 26, 12, tzinfo=UTC)),
        (
            "2026-11-26T12:00:00+02:00",
            datetime(2026, 11, 26, 12, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("", None),
        (1764158400, None),
        (None, None),
    ],
)
def test_times(text: object, time: datetime | None) -> None:
    assert time_or_none(text) == time


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (429, 429),
        ("429", 429),
        ("0429", None),
        ("429 ", None),
        ("\u0664\u0662\u0669", None),
        (True, None),
        (None, None),
        (4.29, None),
        (0, 0),
        (999, 999),
        (1000, None),
        (99999999999999999999, None),
    ],
)
def test_an_http_status(value: Any, status: int | None) -> None:
    assert http_status(value) == status
