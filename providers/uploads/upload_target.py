"""What a provider supplies so that `ResumableUploads` can offer uploads to it."""

from collections.abc import Mapping
from typing import Protocol

from providers.body import Body
from providers.credential import Caller
from providers.resources import File
from providers.upload import UploadSession, UploadStart


class OpenSession:
    """A session that still accepts bytes: its caller is known. Every request has its own.

    `route` is for `SessionRoutes`, which reads it once in a request.
    """

    def __init__(self, session: UploadSession, caller: Caller) -> None:
        self.id = session.id
        self.details = session.details
        self.caller = caller
        self.route: object = None

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
        """What a session must remember of its start. Raises an error for an invalid start."""

    async def whole(self, session: OpenSession, body: Body) -> File:
        """Make the file in one request. A repeat after an unknown outcome makes no second file."""

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        """Store one part, durable on return. For a part that exists, `body` may be dropped."""

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        """The size of the part at `offset`; None if it does not exist yet."""

    async def assemble(self, session: OpenSession, total: int) -> File:
        """Make the file of all parts. A repeat after an unknown outcome makes no second file."""

    async def abort(self, session: OpenSession) -> None:
        """End what is open at the provider; the session's state objects are removed afterwards."""

    async def discard(self, session: OpenSession, file: File) -> None:
        """Delete a file that was made after another request had ended the session."""
