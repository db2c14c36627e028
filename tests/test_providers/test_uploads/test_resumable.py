"""The rules of a resumable upload, with a granularity of eight bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unittest.mock import patch

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from providers.body import Body, TruncatedBody, in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.resources import File
from providers.status import Status
from providers.upload import Chunk, UploadProgress, UploadSession, UploadStart, UploadStatus
from providers.uploads.resumable import ResumableUploads
from tests.memory_state import MemoryState
from tests.test_providers.streams import CUTS, cut, stream
from tests.test_providers.test_uploads.memory_target import MemoryTarget

UNIT = 8
CONTENT = bytes(range(60))
CALLER = Caller(Credential("key"), "tenant")


@pytest.fixture(autouse=True)
def small_units() -> object:
    with patch("providers.uploads.resumable.GRANULARITY", UNIT):
        yield


class Client:
    """Sends `CONTENT`, one session."""

    def __init__(self, size: int | None, whole_limit: int = 20) -> None:
        self.target = MemoryTarget(whole_limit)
        self.state = MemoryState()
        self.uploads = ResumableUploads(self.target, self.state)
        details = {} if size is None else {"size": str(size)}
        self.session = UploadSession("s1", details, CALLER)

    async def send(
        self, start: int, end: int, *, finalize: bool = False, cuts: Sequence[int] = ()
    ) -> UploadProgress:
        data = CONTENT[start:end]
        body = Body(stream(cut(data, cuts)), len(data))
        return await self.uploads.send(self.session, Chunk(start, body, finalize))

    async def refused(self, start: int, end: int, *, finalize: bool = False) -> FerryError:
        with pytest.raises(FerryError) as caught:
            await self.send(start, end, finalize=finalize)
        assert caught.value.status == Status.FAILED_PRECONDITION
        assert self.target.files == {}
        return caught.value


# --- any client at all ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """`faults` are the failures of the target during the call."""

    kind: str
    start: int
    end: int
    finalize: bool
    cuts: Sequence[int]
    faults: Sequence[str]


KINDS = st.sampled_from(["proper"] * 12 + ["wild"] * 3 + ["query"] * 2 + ["cancel"])
FAULTS = st.sampled_from([[], [], [], ["before"], ["after"]])


def next_command(data: st.DataObject, size: int, declared: int | None, there: int) -> Command:
    """With a declared size, the client may name any total; otherwise all totals must agree."""
    kind = data.draw(KINDS)
    if kind == "proper":
        start = data.draw(st.sampled_from(range(0, there + 1, UNIT)))
        end = data.draw(st.sampled_from([*range(start, size + 1, UNIT), size]))
        finalize = end == size and (size % UNIT != 0 or data.draw(st.booleans()))
    else:
        most = size if declared is None else len(CONTENT)
        start, end = sorted(data.draw(st.tuples(st.integers(0, most), st.integers(0, most))))
        finalize = data.draw(st.booleans()) and (declared is not None or end == size)
    return Command(kind, start, end, finalize, data.draw(CUTS), data.draw(FAULTS))


@given(st.data())
async def test_no_order_of_commands_creates_a_wrong_file(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(CONTENT)), "size")
    declared = data.draw(st.sampled_from([size, None]), "declared")
    client = Client(declared, data.draw(st.sampled_from([0, 20]), "whole_limit"))
    ends: set[str] = set()
    for _ in range(data.draw(st.integers(0, 12), "steps")):
        command = next_command(data, size, declared, len(client.target.prefix))
        note(str(command))
        client.target.faults[:] = command.faults
        ends |= await carry_out(client, command, declared, ended=bool(ends))
        assert len(ends) <= 1
        assert len(client.target.files) <= 1
        for made in client.target.files.values():
            assert CONTENT.startswith(made)
    event(f"ended {[end if end == 'cancelled' else 'with a file' for end in ends]}")


async def carry_out(
    client: Client, command: Command, declared: int | None, *, ended: bool
) -> set[str]:
    there = len(client.target.prefix)
    try:
        progress = await attempt(client, command)
    except FerryError as error:
        if command.kind == "cancel" and client.target.files:
            # Too late, also if the answer to the last chunk was lost.
            (made,) = client.target.files.values()
            return {f"{len(made)} bytes"}
        if proper(command, there, declared) and not ended and not command.faults:
            raise
        return {"cancelled"} if error.upload_status == "cancelled" else set()
    if progress.status is UploadStatus.CANCELLED:
        assert not ended
        return {"cancelled"}
    if progress.status is UploadStatus.FINAL:
        assert progress.file is not None
        assert client.target.files[progress.file.id] == CONTENT[: progress.received]
        assert declared in (None, progress.received)
        return {f"{progress.received} bytes"}
    assert client.target.prefix == CONTENT[: len(client.target.prefix)]
    assert progress.received is not None
    assert progress.received <= len(client.target.prefix)
    if command.kind == "query":
        assert progress.received == there
    return set()


async def attempt(client: Client, command: Command) -> UploadProgress:
    if command.kind == "query":
        return await client.uploads.query(client.session)
    if command.kind == "cancel":
        return await client.uploads.cancel(client.session)
    return await client.send(
        command.start, command.end, finalize=command.finalize, cuts=command.cuts
    )


def proper(command: Command, there: int, declared: int | None) -> bool:
    """Whether an honest client could send this; such a command is never refused."""
    if command.kind in ("query", "cancel"):
        return True
    begins_well = command.start % UNIT == 0 and command.start <= there <= command.end
    if command.finalize:
        return begins_well and declared in (None, command.end)
    within = declared is None or command.end <= declared
    return begins_well and within and command.end % UNIT == 0


# --- one rule at a time ---------------------------------------------------------------------------


async def test_a_chunk_that_leaves_a_gap() -> None:
    client = Client(None)
    await client.send(0, 8)
    error = await client.refused(24, 32)
    assert "wrong offset 24: 8 bytes have been received" in error.message
    assert error.upload_status == "final"


@pytest.mark.parametrize(
    ("start", "end", "finalize"),
    [(0, 9, False), (0, 40, False), (0, 31, True), (0, 33, True), (3, 11, False), (3, 32, True)],
    ids=["odd end", "too far", "too short", "too long", "odd offset", "odd offset at the end"],
)
async def test_a_chunk_against_the_rules(start: int, end: int, finalize: bool) -> None:
    error = await Client(32).refused(start, end, finalize=finalize)
    assert error.upload_status == "final"


async def test_an_end_that_contradicts_the_stored_parts() -> None:
    """The last slice was stored longer than this end says."""
    client = Client(None, whole_limit=0)
    client.target.faults[:] = ["ok", "ok", "before"]
    with pytest.raises(FerryError, match="before"):
        await client.send(0, 13, finalize=True)
    assert client.target.prefix == CONTENT[:13]
    error = await client.refused(0, 11, finalize=True)
    assert "13 bytes have been received, and this chunk ends at 11" in error.message
    assert (await client.send(0, 13, finalize=True)).received == 13


@pytest.mark.parametrize(("start", "end"), [(0, 10), (0, 16), (8, 8), (16, 16), (16, 20)])
async def test_an_end_before_stored_bytes(start: int, end: int) -> None:
    client = Client(None)
    await client.send(0, 24)
    await client.refused(start, end, finalize=True)


async def test_a_file_beyond_the_limit_is_refused_at_its_start() -> None:
    client = Client(None)
    start = UploadStart(size=client.target.size_limit + 1)
    with pytest.raises(FerryError) as caught:
        await client.uploads.start(CALLER, start)
    assert (caught.value.code, caught.value.upload_status) == (400, "final")


async def test_a_body_that_breaks_off_is_not_stored() -> None:
    client = Client(None)
    body = Body(stream([CONTENT[:12]]), 16)
    with pytest.raises(TruncatedBody):
        await client.uploads.send(client.session, Chunk(0, body, finalize=False))
    assert client.target.prefix == CONTENT[:8]


async def test_a_session_object_says_how_it_ended() -> None:
    client = Client(None)
    await client.send(0, 8)
    final = await client.send(8, 13, finalize=True)
    assert list(client.state.objects) == ["uploads/s1/end"]
    assert await client.uploads.query(client.session) == final
    bare = await client.uploads.send(client.session, Chunk(None, in_memory(b""), finalize=True))
    assert bare == replace(final, repeated=True)


async def test_a_session_without_its_key_has_expired() -> None:
    client = Client(None)
    client.session = UploadSession("s1", {}, None)
    error = await client.refused(0, 8)
    assert (error.message, error.upload_status) == (
        "the upload URL has expired; start the upload again",
        "final",
    )


async def test_an_end_stays_known_after_the_key_is_deleted() -> None:
    client = Client(None)
    final = await client.send(0, 13, finalize=True)
    client.session = UploadSession("s1", {}, None, expired=True)
    assert await client.uploads.query(client.session) == final
    assert await client.send(0, 13, finalize=True) == replace(final, repeated=True)


async def test_a_concurrent_cancel_and_end() -> None:
    """One of them wins, and both answers agree."""
    for first_wins in (True, False):
        client = Client(None)
        end = client.send(0, 13, finalize=True)
        cancel = client.uploads.cancel(client.session)
        both = (end, cancel) if first_wins else (cancel, end)
        answers = await asyncio.gather(*both, return_exceptions=True)
        [progress] = [a for a in answers if isinstance(a, UploadProgress)]
        [error] = [a for a in answers if isinstance(a, FerryError)]
        finished = progress.status is UploadStatus.FINAL
        assert len(client.target.files) == finished
        assert error.upload_status == ("final" if finished else "cancelled")


async def test_a_cancel_after_an_end_whose_process_died_is_too_late() -> None:
    """The provider has the file, and nothing says so here."""
    client = Client(None)
    client.target.faults[:] = ["after"]
    with pytest.raises(FerryError):
        await client.send(0, 13, finalize=True)
    with pytest.raises(FerryError) as caught:
        await client.uploads.cancel(client.session)
    assert caught.value.upload_status == "final"
    final = await client.uploads.query(client.session)
    assert (final.status, final.received) == (UploadStatus.FINAL, 13)
    assert await client.send(0, 13, finalize=True) == replace(final, repeated=True)


async def test_an_end_whose_parts_were_deleted_meanwhile() -> None:
    """A staged part that is deleted while it is read breaks off: not an error of the client."""
    client = Client(None, whole_limit=0)

    async def vanish(*_: object) -> File:
        await client.uploads.cancel(client.session)
        raise TruncatedBody("the object was deleted before it was read")

    with patch.object(client.target, "assemble", vanish), pytest.raises(FerryError) as caught:
        await client.send(0, 13, finalize=True)
    assert caught.value.upload_status == "cancelled"
