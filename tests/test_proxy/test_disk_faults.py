"""Errors of the disk below the state store are the store's errors, never a bug of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, cycle
from pathlib import Path

import pytest

from providers.body import Body, close, in_memory
from providers.state import State, StateError, read, write
from providers.status import Status
from proxy.state_directory import DirectoryState
from proxy.state_store import bounded
from proxy.sweep import sweep
from tests.faulty_disk import ERRORS, TEMPORARY, FaultyDisk, faulty_disk
from tests.test_proxy.shared_proxy import ANN, Answer, SharedProxy, lines, requests, shared_proxy

LARGE = b"x" * (600 << 10)


async def create(state: State) -> None:
    await state.create("owned/new/object", in_memory(LARGE))


async def read_all(state: State) -> None:
    assert await read(state, "owned/old/object") == LARGE


async def read_and_leave(state: State) -> None:
    body = await state.get("owned/old/object")
    assert body is not None
    await anext(aiter(body.chunks))
    await close(body)


async def head(state: State) -> None:
    await state.head("owned/old/object")


async def delete(state: State) -> None:
    await state.delete("owned/old/object")


async def list_all(state: State) -> None:
    assert [info.name async for info in state.list("owned/")]


async def parts(state: State) -> None:
    upload = await state.multipart.begin("uploads/new")
    await state.multipart.put(upload, 1, in_memory(b"part"))
    assert [part.number async for part in state.multipart.parts(upload)] == [1]
    await state.multipart.complete(upload, 4)
    other = await state.multipart.begin("uploads/other")
    await state.multipart.abort(other)


async def sweep_all(state: State) -> None:
    await sweep(state, datetime.now(UTC) + timedelta(days=99), timedelta(1), timedelta(2))


async def error_of(work: Awaitable[None]) -> StateError | None:
    try:
        await work
    except StateError as error:
        return error
    return None


OPERATIONS = (create, read_all, read_and_leave, head, delete, list_all, parts, sweep_all)


@pytest.fixture(scope="module")
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk:
        yield disk


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_error_of_the_disk_is_an_error_of_the_store(
    disk: FaultyDisk, tmp_path: Path, operation: Callable[[State], Awaitable[None]]
) -> None:
    """Each call of the disk fails once, and then all of them do; afterwards the store works."""
    errors = cycle(ERRORS)
    for at in count(0):
        state, error = bounded(DirectoryState(tmp_path / str(at))), next(errors)
        await write(state, "owned/old/object", LARGE)
        disk.fail(at, error)
        raised = await error_of(operation(state))
        disk.heal()
        if raised is not None:
            temporary = error in TEMPORARY
            expected = Status.UNAVAILABLE if temporary else Status.FAILED_PRECONDITION
            assert raised.status is expected
            assert str(tmp_path) not in raised.message
        if not disk.failed:
            assert at > 1
            return
        await state.delete("owned/old/object")
        await write(state, "owned/old/object", LARGE)
        await operation(state)


async def test_a_created_object_is_created_although_its_draft_cannot_be_removed(
    disk: FaultyDisk, tmp_path: Path
) -> None:
    state = bounded(DirectoryState(tmp_path))
    disk.fail(99, ERRORS[0])
    assert await state.create("owned/new/object", in_memory(b"x"))
    calls = list(disk.calls)
    assert calls[-2:] == ["unlink", "close"]
    for at in (len(calls) - 1, len(calls)):
        await state.delete("owned/new/object")
        disk.fail(at, ERRORS[0])
        try:
            assert await state.create("owned/new/object", in_memory(b"x"))
        finally:
            disk.heal()


async def test_the_error_of_a_source_is_not_hidden_by_one_of_the_disk(
    disk: FaultyDisk, tmp_path: Path
) -> None:
    class SourceFailed(Exception):
        pass

    async def source() -> AsyncIterator[bytes]:
        yield LARGE
        disk.fail(0, ERRORS[0])
        raise SourceFailed

    with pytest.raises(SourceFailed):
        await bounded(DirectoryState(tmp_path)).create("owned/a", Body(source(), None))
    disk.heal()


async def test_a_thread_that_cannot_be_started_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    state = bounded(DirectoryState(tmp_path))
    monkeypatch.setattr("proxy.threads._DISK.submit", refuse)
    with pytest.raises(StateError, match="no thread can be started"):
        await state.head("owned/a")


# --- every call of the SDK -----------------------------------------------------------------------


class Session:
    """What a program does with files and batches; each step can be repeated."""

    def __init__(self, shared: SharedProxy) -> None:
        self.shared = shared
        self.url = self.file = self.batch = self.results = ""

    async def ask(self, method: str, path: str) -> Answer:
        return await self.shared.ask(ANN, method, f"v1beta/{path}")

    async def start(self) -> Answer:
        answer = await self.shared.ask(
            ANN,
            "POST",
            "upload/v1beta/files",
            {"file": {"displayName": "input.jsonl", "mimeType": "application/jsonl"}},
            X_Goog_Upload_Command="start",
            X_Goog_Upload_Header_Content_Length=str(len(lines())),
        )
        self.url = answer.headers.get("X-Goog-Upload-URL", self.url)
        return answer

    async def query(self) -> Answer:
        return await self.shared.ask(ANN, "POST", self.url, X_Goog_Upload_Command="query")

    async def cancel(self) -> Answer:
        return await self.shared.ask(ANN, "POST", self.url, X_Goog_Upload_Command="cancel")

    async def send(self) -> Answer:
        answer = await self.shared.chunk(None, self.url, lines())
        if answer.status == 200:
            self.file = answer.document["file"]["name"]
        return answer

    async def post_whole(self) -> Answer:
        return await self.shared.ask(
            ANN,
            "POST",
            "upload/v1beta/files",
            data=lines(),
            X_Goog_Upload_Protocol="raw",
            Content_Type="application/jsonl",
        )

    async def create(self) -> Answer:
        answer = await self.shared.create(ANN, self.file, "key-of-the-file-batch")
        if answer.status == 200:
            self.batch = answer.document["name"]
        return answer

    async def create_inline(self) -> Answer:
        return await self.shared.create(ANN, requests(), "key-of-the-inline-batch")

    async def results_of(self) -> Answer:
        answer = await self.ask("GET", self.batch)
        if answer.status == 200 and "output" in answer.document["metadata"]:
            self.results = answer.document["metadata"]["output"]["responsesFile"]
        return answer


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_no_call_is_answered_with_500_because_of_the_disk(
    disk: FaultyDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    errors = cycle(ERRORS)
    async with shared_proxy(provider, tmp_path / "state", monkeypatch) as shared:
        session = Session(shared)

        async def step(call: Callable[[], Awaitable[Answer]]) -> None:
            for at in count(0):
                error = next(errors)
                disk.fail(at, error)
                try:
                    answer = await call()
                finally:
                    disk.heal()
                # An earlier attempt did it, before the disk failed.
                if at and (answer.status == 404 or "was cancelled" in answer.text):
                    return
                if not disk.failed:
                    assert at > 1, call
                    assert answer.status == 200, answer.text
                    return
                if "its owner could not be recorded: send the creation again" in answer.text:
                    assert answer.status == 503
                elif answer.status != 200:
                    assert answer.status == (503 if error in TEMPORARY else 400), answer.text
                    assert "the proxy's state store failed: " in answer.text

        await step(session.start)
        await step(session.query)
        await step(session.cancel)
        await step(session.start)
        await step(session.send)
        await step(session.post_whole)
        await step(partial(session.ask, "GET", "files"))
        await step(partial(session.ask, "GET", session.file))
        await step(session.create)
        await step(session.create_inline)
        await step(partial(session.ask, "GET", "batches"))
        await shared.steer(session.batch)
        await step(session.results_of)
        await step(partial(session.ask, "GET", f"{session.results}:download?alt=media"))
        await step(partial(session.ask, "DELETE", session.batch))
        await step(partial(session.ask, "DELETE", session.file))
        assert "a bug of ours" not in "\n".join(shared.seen)
