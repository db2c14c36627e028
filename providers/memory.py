"""One budget for everything that is in memory as a whole, in fair shares (contract.md section 8).

A reservation belongs to a request, and a request to a share: that of its tenant, or the one share
of all tenants whose keys no provider has accepted lately, since anyone can make up keys. All
background work counts as one request with a share of its own.

What a share has reserved, without its largest request, is at most what is free. So many requests of
one share take about half of the budget, and the other half is left to the next share. The largest
request does not count, since a single long line may need more than half.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from providers.body import read_up_to
from providers.errors import failed_precondition, resource_exhausted

BUDGET_BYTES: Final = 256 << 20

_UNKNOWN: Final = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes: one line of a file, and all results that `get` returns inline."""

    line: int
    inline_results: int


@dataclass(frozen=True, slots=True, eq=False)
class MemoryUser:
    """A request of `tenant`; all background work is one user without a tenant."""

    tenant: str | None


_BACKGROUND: Final = MemoryUser(None)
MEMORY_USER: Final[ContextVar[MemoryUser]] = ContextVar("memory_user", default=_BACKGROUND)
"""For whom the running task reserves memory.

The chain sets it once for each request, so that no provider has to pass it along. Tasks that a
request starts inherit it; background tasks run in a context of their own.
"""


@dataclass(slots=True)
class _Share:
    """What the users of one share have reserved; users that have nothing are not in it."""

    total: int = 0
    users: dict[MemoryUser, int] = field(default_factory=dict)

    def fits(self, user: MemoryUser, size: int, free: int) -> bool:
        """Whether the rule allows `user` to reserve `size` more, after which `free` are free."""
        total = self.total + size
        if total <= free:
            return True
        largest = max(self.users.get(user, 0) + size, *self.users.values(), 0)
        return total - largest <= free

    def add(self, user: MemoryUser, size: int) -> None:
        self.total += size
        self.users[user] = self.users.get(user, 0) + size
        if not self.users[user]:
            del self.users[user]


@dataclass(frozen=True, slots=True)
class Account:
    """Where a reservation is counted. The share is a tenant's, or None for background work."""

    share: str | None
    user: MemoryUser


class Reservation:
    """A part of the budget for one request; it can grow, and is released as a whole."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self._account = budget.account()
        self._size = 0

    def grow(self, size: int) -> None:
        """Reserve `size` more bytes.

        Raises RESOURCE_EXHAUSTED if the budget or the share has too little left, and
        FAILED_PRECONDITION for more than the whole budget, where waiting does not help.
        """
        if not self.fits(size):
            raise failed_precondition(
                f"this needs more than the {self._budget.size} bytes of memory that the proxy has "
                "for all requests together: send a smaller request or file"
            )
        self._budget.take(size, self._account)
        self._size += size

    def fits(self, size: int) -> bool:
        """Whether the whole budget has space for this reservation and `size` more bytes."""
        return self._size + size <= self._budget.size

    def more(self, size: int) -> "AbstractContextManager[Reservation]":
        """Reserve `size` more bytes for the length of a block. Raises as `grow` does."""
        return self._budget.reserve(size)

    async def read(self, chunks: AsyncIterable[bytes], limit: int, copies: int) -> bytes | None:
        """As `read_up_to`; memory for `copies` of each chunk is reserved when it arrives.

        So a length that is only declared takes nothing from others. Raises as `grow` does.
        """
        async with aclosing(self._counted(chunks, copies)) as counted:
            return await read_up_to(counted, limit)

    def release(self) -> None:
        self._budget.give_back(self._size, self._account)
        self._size = 0

    async def _counted(
        self, chunks: AsyncIterable[bytes], copies: int
    ) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            self.grow(copies * len(chunk))
            yield chunk


class MemoryBudget:
    """`size` is the whole budget, in bytes. `accepted`: whether a provider knows the tenant."""

    def __init__(
        self, size: int = BUDGET_BYTES, accepted: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.size: Final = size
        self._accepted = accepted
        self._left = size
        self._shares: dict[str | None, _Share] = {}

    @property
    def used(self) -> int:
        return self.size - self._left

    def account(self) -> Account:
        """That of the running task."""
        user = MEMORY_USER.get()
        known = user.tenant is None or self._accepted(user.tenant)
        return Account(user.tenant if known else _UNKNOWN, user)

    def take(self, size: int, account: Account | None = None) -> None:
        """Without `account`, for the running task. Raises RESOURCE_EXHAUSTED."""
        account = account or self.account()
        if size > self._left:
            raise resource_exhausted(
                "the memory budget of the proxy is used up; try again in a moment"
            )
        share = self._shares.get(account.share) or _Share()
        if not share.fits(account.user, size, self._left - size):
            raise resource_exhausted(f"{_name(account.share)} is used up; try again in a moment")
        self._shares[account.share] = share
        share.add(account.user, size)
        self._left -= size

    def give_back(self, size: int, account: Account) -> None:
        self._left += size
        share = self._shares.get(account.share)
        if share is None:
            return
        share.add(account.user, -size)
        if not share.total:
            del self._shares[account.share]

    @contextmanager
    def reserve(self, size: int = 0) -> Iterator[Reservation]:
        """Reserve `size` bytes of the budget for the length of a block."""
        reservation = Reservation(self)
        reservation.grow(size)
        try:
            yield reservation
        finally:
            reservation.release()


def _name(share: str | None) -> str:
    if share == _UNKNOWN:
        return "the memory for keys that no provider has accepted in the last minutes"
    return "your share of the proxy's memory"
