"""Upload sessions: their objects, and what a provider supplies to store their bytes."""

import secrets
from collections.abc import Mapping
from typing import Final, Protocol

from providers.body import Body
from providers.credential import Caller
from providers.resources import File
from providers.state import State, read, write
from providers.stored_objects import TENANT_MARK, UPLOADS
from providers.upload import UploadSession, UploadStart

_KEY_BYTES: Final = 32
_KEY: Final = "/key"
UNDECIDED: Final = "undecided"
"""The member of a session's details whose file is not yet described (`undecided_starts.py`)."""


class OpenSession:
    """A session that still accepts bytes: its caller is known. Every request has its own.

    `route` is for `SessionRoutes`, which reads it once in a request, and `part_sizes`, by offset,
    for `SessionParts`.
    """

    def __init__(self, session: UploadSession, caller: Caller) -> None:
        self.id = session.id
        self.details = session.details
        self.caller = caller
        self.route: object = None
        self.part_sizes: dict[int, int | None] = {}

    @property
    def undecided(self) -> bool:
        """Whether the details are only those of the start: its first bytes have not arrived."""
        return UNDECIDED in self.details

    @property
    def declared(self) -> int | None:
        """The size that the start declared, in bytes."""
        text = self.details.get("size", "")
        return int(text) if text else None


class UploadTarget(Protocol):
    """Stores the bytes at one provider. Sizes and offsets in bytes."""

    whole_limit: int
    """The largest file that can be sent to the provider in one request."""

    size_limit: int
    """The largest file that the provider accepts."""

    async def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        """What a session must remember of its start. Raises an error for an invalid start.

        `start.batch_input` is decided. It is also called to check a start for which it is not.
        """

    async def whole(self, session: OpenSession, body: Body) -> File:
        """Make the file in one request. A repeat after an unknown outcome makes no second file."""

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        """Store one part, durable on return. For a part that exists, `body` may be dropped."""

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        """The size of the part at `offset`; None if it does not exist yet."""

    async def assemble(self, session: OpenSession, total: int) -> File:
        """Make the file of all parts. A repeat after an unknown outcome makes no second file."""

    async def unanswered(self, session: OpenSession) -> File | None:
        """The file that a request without an answer has made; None if there is no file yet."""

    async def abort(self, session: OpenSession) -> None:
        """End what is open at the provider; the session's state objects are removed afterwards."""

    async def discard(self, session: OpenSession, file: File) -> None:
        """Delete a file that was made after another request had ended the session."""


def session_object(session_id: str, name: str) -> str:
    """The name of an object of a session; the sweep removes all of them with the session."""
    return UPLOADS.name(session_id, name)


def new_session_id(provider: str, tenant: str = "") -> str:
    """The sweep counts by provider and by tenant, so both are in it."""
    return f"{tenant[:TENANT_MARK]}{secrets.token_hex(16)}-{provider}"


def provider_of_session_key(name: str) -> str | None:
    """The provider of a session whose key has this name; None for an object that is no such key.

    A session that has ended has no key. A session of an earlier version names no provider.
    """
    if not (name.startswith(UPLOADS.prefix) and name.endswith(_KEY)):
        return None
    # A long id is divided.
    session_id = name.removeprefix(UPLOADS.prefix).removesuffix(_KEY).replace("/", "")
    return session_id.partition("-")[2]


async def create_session_key(state: State, session_id: str) -> bytes:
    """A key of random bytes; without it the session's URL can never be used again."""
    key = secrets.token_bytes(_KEY_BYTES)
    await write(state, session_object(session_id, "key"), key)
    return key


async def read_session_key(state: State, session_id: str) -> bytes | None:
    return await read(state, session_object(session_id, "key"))


async def delete_session_key(state: State, session_id: str) -> None:
    await state.delete(session_object(session_id, "key"))
