"""Fair shares of what is limited in one process (contract.md section 8).

What is taken belongs to a request, and a request to a share: that of its tenant, or the one share
of all tenants whose keys no provider has accepted lately, since anyone can make up keys. All
background work counts as one request with a share of its own.

What a share has taken, without its largest request, is at most what is free. So many requests of
one share take about half, and the other half is left to the next share. The largest request does
not count, since a single one may need more than half.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from providers.errors import resource_exhausted

_UNKNOWN: Final = ""


@dataclass(frozen=True, slots=True, eq=False)
class ShareUser:
    """A request of `tenant`; all background work is one user without a tenant."""

    tenant: str | None


_BACKGROUND: Final = ShareUser(None)
SHARE_USER: Final[ContextVar[ShareUser]] = ContextVar("share_user", default=_BACKGROUND)
"""For whom the running task takes something.

The chain sets it once for each request, so that no provider has to pass it along. Tasks that a
request starts inherit it; background tasks run in a context of their own.
"""


@dataclass(slots=True)
class _Share:
    """What the users of one share have taken; users that have nothing are not in it."""

    total: int = 0
    users: dict[ShareUser, int] = field(default_factory=dict)

    def fits(self, user: ShareUser, size: int, free: int) -> bool:
        """Whether the rule allows `user` to take `size` more, after which `free` are free."""
        total = self.total + size
        if total <= free:
            return True
        largest = max(self.users.get(user, 0) + size, *self.users.values(), 0)
        return total - largest <= free

    def add(self, user: ShareUser, size: int) -> None:
        self.total += size
        self.users[user] = self.users.get(user, 0) + size
        if not self.users[user]:
            del self.users[user]


@dataclass(frozen=True, slots=True)
class Account:
    """Where something is counted. The share is a tenant's, or None for background work."""

    share: str | None
    user: ShareUser


class FairShares:
    """`size` is the whole, and `what` names it for clients, as in "your share of … is used up".

    `accepted`: whether a provider knows the tenant.
    """

    def __init__(
        self, size: int, what: str, accepted: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.size: Final = size
        self._what = what
        self._accepted = accepted
        self._left = size
        self._shares: dict[str | None, _Share] = {}

    @property
    def used(self) -> int:
        return self.size - self._left

    def account(self) -> Account:
        """That of the running task."""
        user = SHARE_USER.get()
        known = user.tenant is None or self._accepted(user.tenant)
        return Account(user.tenant if known else _UNKNOWN, user)

    def take(self, size: int, account: Account | None = None) -> None:
        """Without `account`, for the running task. Raises RESOURCE_EXHAUSTED."""
        account = account or self.account()
        if size > self._left:
            raise resource_exhausted(f"{self._what} is used up; try again in a moment")
        share = self._shares.get(account.share) or _Share()
        if not share.fits(account.user, size, self._left - size):
            part = self._part(account.share)
            raise resource_exhausted(f"{part} is used up; try again in a moment")
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
    def taken(self, size: int) -> Iterator[None]:
        """For the length of a block. Raises RESOURCE_EXHAUSTED."""
        account = self.account()
        self.take(size, account)
        try:
            yield
        finally:
            self.give_back(size, account)

    def _part(self, share: str | None) -> str:
        if share == _UNKNOWN:
            return f"the share of {self._what} for keys that no provider has accepted lately"
        return f"your share of {self._what}"
