"""The timers that the running event loop gets."""

import asyncio

import pytest


class LoopTimers:
    """`set` are those since this was made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set: list[asyncio.TimerHandle] = []
        loop = asyncio.get_running_loop()
        call_at = loop.call_at

        def counted(when: float, *rest: object, **context: object) -> asyncio.TimerHandle:
            handle = call_at(when, *rest, **context)  # type: ignore[arg-type]
            self.set.append(handle)
            return handle

        monkeypatch.setattr(loop, "call_at", counted)
