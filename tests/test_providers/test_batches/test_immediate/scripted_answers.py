"""A provider that answers single requests by a script."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from providers.batches.immediate.clock import Clock
from providers.credential import Caller
from providers.errors import FerryError
from providers.resources import BatchState

FORM = "a form of lines"

Answer = bytes | BaseException


class ScriptedAnswers:
    """Implements `Answerer`. A record answers by its script, then with its number."""

    id_member = "custom_id"
    error_head = b'{"error":'
    status_words: Mapping[BatchState, str] = {
        BatchState.PENDING: "queued",
        BatchState.RUNNING: "working",
        BatchState.CANCELLING: "stopping",
        BatchState.CANCELLED: "stopped",
        BatchState.SUCCEEDED: "done",
    }
    not_begun = frozenset({"NotReady"})

    def __init__(self, script: dict[int, Sequence[Answer]] | None = None) -> None:
        self._script = {number: list(answers) for number, answers in (script or {}).items()}
        self.made: list[int] = []
        self.begun: Counter[int] = Counter()
        """The calls of each record, without those that were throttled."""
        self.callers: list[Caller] = []
        self.asked: list[tuple[str, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.open = asyncio.Event()
        self.open.set()
        self._called = asyncio.Condition()
        self._quota: Callable[[], None] = lambda: None

    def allow_a_minute(self, count: int, clock: Clock, beyond: FerryError) -> None:
        """This many calls start per minute; others are refused with `beyond`."""
        begun: Counter[int] = Counter()

        def check() -> None:
            minute = int(clock.monotonic() / 60)
            begun[minute] += 1
            if begun[minute] > count:
                raise beyond

        self._quota = check

    async def wait_for(self, number: int) -> None:
        """For tests that hold single records."""

    async def in_flight(self, count: int) -> None:
        """Waits for this number of concurrent calls."""
        async with self._called:
            await self._called.wait_for(lambda: self.at_once >= count)

    async def check(self, caller: Caller) -> None:
        """Accepts every caller."""

    async def answer(self, caller: Caller, model: str, form: str, line: bytes, /) -> bytes:
        record = orjson.loads(line)
        number = record["body"]["n"]
        self.made.append(number)
        self.begun[number] += 1
        self.callers.append(caller)
        self.asked.append((model, form))
        self._quota()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async with self._called:
                self._called.notify_all()
            await self.open.wait()
            await self.wait_for(number)
        finally:
            self.at_once -= 1
        answers = self._script.get(number)
        answer = answers.pop(0) if answers else orjson.dumps({"n": number})
        if isinstance(answer, BaseException):
            throttled = isinstance(answer, FerryError) and answer.code == 429
            self.begun[number] -= throttled
            raise answer
        result = {"custom_id": record["custom_id"], "response": orjson.Fragment(answer)}
        return orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE)

    def render_error(self, line_id: str, code: int, message: str, /) -> bytes:
        error = {"error": {"code": code, "message": message}, "custom_id": line_id}
        return orjson.dumps(error, option=orjson.OPT_APPEND_NEWLINE)

    def plain(self, _: dict[str, Any], form: str, /) -> dict[str, Any] | None:
        return None

    def translate(self, line: dict[str, Any], form: str, /) -> dict[str, Any]:
        assert form == FORM
        return line


class OneByOne(ScriptedAnswers):
    """Records answer at once, except those that are `held`."""

    def __init__(self, held: set[int], script: dict[int, Sequence[Answer]] | None = None) -> None:
        super().__init__(script)
        self._held = {number: asyncio.Event() for number in held}

    def release(self, number: int) -> None:
        self._held[number].set()

    async def wait_for(self, number: int) -> None:
        if number in self._held:
            await self._held[number].wait()
