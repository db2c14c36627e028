"""The time for signatures, which AWS refuses if it differs from its own by a few minutes.

If this machine's clock is wrong, the `Date` of the refusal (RFC 9110 section 6.6.1) says by how
much. AWS's own SDKs correct their clocks in the same way.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# Bedrock allows 5 minutes, S3 15 (bedrock.md section 5).
_ALLOWED: Final = timedelta(minutes=4)


class AwsClock:
    """`correction` is what is added to this machine's time."""

    def __init__(self) -> None:
        self.correction = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.correction

    def correct(self, headers: Mapping[str, str]) -> None:
        """Take over the time of a refusal with these headers, if this clock is far from it."""
        try:
            theirs = parsedate_to_datetime(headers.get("Date", ""))
            difference = theirs.replace(tzinfo=theirs.tzinfo or UTC) - self.now()
        except (ValueError, OverflowError):
            return
        if abs(difference) > _ALLOWED:
            self.correction += difference
