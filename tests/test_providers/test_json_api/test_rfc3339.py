from datetime import UTC, datetime, timedelta, timezone

import pytest

from providers.json_api.rfc3339 import from_rfc3339


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
    assert from_rfc3339(text) == time
