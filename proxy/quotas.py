"""Quotas of the state store: its bytes in all, and the bytes and open uploads of each tenant.

The figures are those of the last sweep, plus what this process has added since. So they may be
exceeded by what the other processes add in between. Only what begins something or stores a client's
bytes is refused: what has begun can end. A refusal asks for a sweep, so that deletes soon count.
"""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from providers.body import Body
from providers.errors import FerryError, failed_precondition
from providers.multipart_uploads import MultipartUpload, MultipartUploads
from providers.state import ObjectInfo, State
from providers.status import Status
from providers.stored_objects import UPLOADS, tenant_in
from providers.wrapped_state import WrappedParts, WrappedState
from proxy.settings_problems import variable

# A session without a byte for this long is not open; its client may still continue it.
IDLE_SECONDS: Final = 3600.0
RETRY_SECONDS: Final = 60

_REFUSABLE: Final = re.compile(
    r"uploads/[^/]+(?:/[^/]+)*/(?:key|content|slice-[0-9]+)"
    r"|staged-content/.+"
    r"|immediate-work/.+/input/[0-9]+"
)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bytes of the whole store, bytes of one tenant, and open uploads of one tenant."""

    state_bytes: int
    tenant_state_bytes: int
    tenant_uploads: int


@dataclass(slots=True)
class Figures:
    """`uploads` are the sessions of each tenant that have a key, with their last activity."""

    total: int = 0
    tenants: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    uploads: defaultdict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, name: str, size: int) -> None:
        self.total += size
        if tenant := tenant_in(name):
            self.tenants[tenant] += size

    def touch(self, name: str, at: float) -> None:
        """A byte of a session arrived; a key begins the session."""
        session, last = _session_of(name)
        uploads = self.uploads[tenant_in(name)] if session else {}
        if last == "key" or session in uploads:
            uploads[session] = max(at, uploads.get(session, at))


class Usage:
    """What the store holds, as far as this process knows. `clock` is in seconds."""

    def __init__(self, quotas: Quotas, clock: Clock = time.monotonic) -> None:
        self._quotas = quotas
        self._clock = clock
        self._figures = Figures()
        self._added = Figures()
        self.sweep_wanted: Final = asyncio.Event()

    @property
    def total(self) -> int:
        return self._figures.total

    def admit(self, name: str, size: int) -> None:
        """Raises RESOURCE_EXHAUSTED if `size` further bytes of this object exceed a quota.

        Raises FAILED_PRECONDITION if they do so alone.
        """
        if not _REFUSABLE.fullmatch(name):
            return
        tenant, quotas = tenant_in(name), self._quotas
        _refuse_too_large(size, "state_bytes", quotas.state_bytes)
        if self._figures.total + size > quotas.state_bytes:
            raise self._refused("the state store is full", "state_bytes", quotas.state_bytes)
        if not tenant:
            return
        _refuse_too_large(size, "tenant_state_bytes", quotas.tenant_state_bytes)
        stored = self._figures.tenants[tenant]
        if stored + size > quotas.tenant_state_bytes:
            what = (
                f"{size} bytes are too many beside the {stored} that the proxy already stores for "
                "you, with those of unfinished uploads: delete files or batches"
            )
            raise self._refused(what, "tenant_state_bytes", quotas.tenant_state_bytes)
        if name.endswith("/key") and self._open(tenant) >= quotas.tenant_uploads:
            what = (
                "you have too many open uploads: finish or cancel some, or wait until they have "
                "been idle for an hour"
            )
            raise self._refused(what, "tenant_uploads", quotas.tenant_uploads)

    def add(self, name: str, size: int) -> None:
        for figures in (self._figures, self._added):
            figures.add(name, size)
            figures.touch(name, self._clock())

    def forget(self, name: str) -> None:
        """An object was deleted; its bytes count until the next sweep."""
        session, last = _session_of(name)
        if last == "key":
            for figures in (self._figures, self._added):
                figures.uploads[tenant_in(name)].pop(session, None)

    def census(self) -> "Census":
        self.sweep_wanted.clear()
        self._added = Figures()
        return Census(self, self._clock())

    def replace(self, swept: Figures) -> None:
        """The figures of a sweep, and what this process added while it ran."""
        swept.total += self._added.total
        for tenant, size in self._added.tenants.items():
            swept.tenants[tenant] += size
        for tenant, uploads in swept.uploads.items():
            known = self._figures.uploads[tenant]
            for session, at in uploads.items():
                uploads[session] = max(at, known.get(session, at))
        for tenant, uploads in self._added.uploads.items():
            swept.uploads[tenant] |= uploads
        self._figures = swept

    def _open(self, tenant: str) -> int:
        since = self._clock() - IDLE_SECONDS
        return sum(last > since for last in self._figures.uploads[tenant].values())

    def _refused(self, what: str, setting: str, limit: int) -> FerryError:
        self.sweep_wanted.set()
        message = f"{what} ({variable(setting)} is {limit})"
        seconds = str(RETRY_SECONDS)
        return FerryError(Status.RESOURCE_EXHAUSTED, message, retry_after=seconds)


class Census:
    """One sweep's count of the objects that stay."""

    def __init__(self, usage: Usage, now: float) -> None:
        self._usage = usage
        self._now = now
        self._time = datetime.now(UTC)
        self._figures = Figures()

    def count(self, info: ObjectInfo) -> None:
        """In the order of the names: a session's key comes before its parts."""
        self._figures.add(info.name, info.size)
        age = (self._time - info.created).total_seconds()
        self._figures.touch(info.name, self._now - age)

    def end(self) -> None:
        self._usage.replace(self._figures)


class LimitedState(WrappedState):
    """Raises RESOURCE_EXHAUSTED for what would exceed a quota."""

    def __init__(self, state: State, usage: Usage) -> None:
        super().__init__(state, _LimitedParts(state.multipart, usage))
        self._usage = usage

    async def create(self, name: str, body: Body) -> bool:
        counted = _Counted(name, body, self._usage)
        created = await super().create(name, counted.body)
        if created:
            self._usage.add(name, counted.size)
        return created

    async def delete(self, name: str) -> None:
        await super().delete(name)
        self._usage.forget(name)


class _LimitedParts(WrappedParts):
    def __init__(self, multipart: MultipartUploads, usage: Usage) -> None:
        super().__init__(multipart)
        self._usage = usage

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        self._usage.admit(name, size or 0)
        return await super().begin(name, size)

    async def put(self, upload: MultipartUpload, number: int, body: Body) -> None:
        counted = _Counted(upload.name, body, self._usage)
        await super().put(upload, number, counted.body)
        self._usage.add(upload.name, counted.size)


class _Counted:
    """A body whose bytes are counted, and refused as soon as they exceed a quota."""

    def __init__(self, name: str, body: Body, usage: Usage) -> None:
        usage.admit(name, body.length or 0)
        self._name = name
        self._body = body
        self._usage = usage
        self.size = 0

    @property
    def body(self) -> Body:
        return Body(self._chunks(), self._body.length)

    async def _chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._body.chunks:
            self.size += len(chunk)
            if self._body.length is None:
                self._usage.admit(self._name, self.size)
            yield chunk


def _refuse_too_large(size: int, setting: str, limit: int) -> None:
    """What exceeds a quota alone will not fit later either."""
    if size > limit:
        raise failed_precondition(
            f"the proxy cannot store something as large as this ({variable(setting)} is {limit})"
        )


def _session_of(name: str) -> tuple[str, str]:
    """A session and the last segment of its object; the session is empty for other objects."""
    if not name.startswith(UPLOADS.prefix):
        return "", ""
    session, _, last = name.removeprefix(UPLOADS.prefix).partition("/")
    return session, last
