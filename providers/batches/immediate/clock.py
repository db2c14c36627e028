"""The time of immediate jobs."""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The system's time. Tests replace it, so they need not wait."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
