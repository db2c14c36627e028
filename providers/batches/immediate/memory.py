"""The memory that immediate jobs hold for their input: a share of the one budget, in turns.

No holder waits for more, so there is no deadlock.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Final

from providers.errors import FerryError
from providers.memory import MemoryBudget

# Part of the budget of providers/memory.py; a single segment may be larger.
SHARE_BYTES: Final = 64 << 20
# Concurrent calls of one job.
CALLS_OF_A_JOB: Final = 8
# Reserved for the answer to one record, and for the answers that are not recorded yet.
ANSWER_BYTES: Final = 1 << 20
_WAIT_SECONDS: Final = 1.0


def working_bytes(size: int, records: int) -> int:
    """The memory for a segment of `size` bytes while its `records` are called.

    It covers the segment, its lines, each line parsed and as sent, and the answers.
    """
    return 4 * size + min(records, CALLS_OF_A_JOB + 1) * ANSWER_BYTES


class WorkingMemory:
    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._share = MemoryBudget(SHARE_BYTES)
        self._turn = asyncio.Lock()

    async def reserve(self, size: int, pause: Callable[[float], Awaitable[None]]) -> ExitStack:
        """Wait for `size` bytes, first come first served. Raises what `pause` raises.

        They are held until the stack is closed.
        """
        async with self._turn:
            while True:
                with suppress(FerryError), ExitStack() as held:
                    held.enter_context(self._share.reserve(min(size, SHARE_BYTES)))
                    self.grow(held, size)
                    return held.pop_all()
                await pause(_WAIT_SECONDS)

    def grow(self, held: ExitStack, size: int) -> None:
        """Hold more. Raises FerryError if the budget has too little left."""
        held.enter_context(self._budget.reserve(max(0, size)))
