"""Resources whose owner cannot be recorded, and the checks before a call is passed on."""

import asyncio
import logging
import re
from collections.abc import Coroutine
from typing import Any

import orjson
import pytest

from providers.batches.json_lines import LineSplitter
from providers.body import Body, in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError, unavailable
from providers.memory import MemoryBudget
from providers.provider import NameForms, Provider
from providers.resource_names import native_file_id, result_file_id
from providers.resources import (
    Batch,
    BatchKind,
    BatchState,
    Download,
    File,
    InlineRequest,
    NewBatch,
    ResultForm,
)
from providers.status import Status
from providers.tenancy.isolation import isolate_tenants
from providers.upload import Chunk, UploadProgress, UploadSession, UploadStart, UploadStatus
from tests.memory_state import MemoryState

ANN, BOB = (Caller(Credential(api_key="own"), tenant) for tenant in ("ann", "bob"))
FILE = native_file_id("file-1")
FINAL = UploadProgress(UploadStatus.FINAL, received=2, file=File(FILE))
REQUEST = InlineRequest(b'{"contents": []}', b"null", "requests[0]")
INLINE = NewBatch("m", BatchKind.GENERATE, [REQUEST])


class Forgetful(MemoryState):
    """A state store without access to records of ownership while `away`."""

    away = False

    async def create(self, name: str, body: Body) -> bool:
        if self.away and name.startswith("owned/"):
            raise unavailable("the state store is away")
        return await super().create(name, body)


class Inner:
    """All capabilities of one provider; `calls` are the methods that were called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.forms: list[ResultForm] = []
        self.content = b""
        self.refusing: str | None = None
        self.making, self.made = asyncio.Event(), asyncio.Event()
        self.made.set()

    async def _make(self, name: str) -> None:
        """Sets `making` and waits for `made`."""
        self._called(name)
        self.making.set()
        await self.made.wait()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.refusing:
            raise FerryError(Status.FAILED_PRECONDITION, "not now")

    async def send(self, *_: Any) -> UploadProgress:
        await self._make("send")
        return FINAL

    async def create(self, *given: Any) -> Any:
        await self._make("create")
        return File(FILE) if len(given) == 4 else batch("batch_1")

    async def get(self, *_: Any) -> Batch:
        self._called("get")
        return batch("batch_1")

    async def cancel(self, *_: Any) -> None:
        self._called("cancel")

    async def delete(self, *_: Any) -> None:
        self._called("delete")

    async def download(
        self, _caller: Caller, _file_id: str, form: ResultForm = ResultForm.GEMINI
    ) -> Download:
        self._called("download")
        self.forms.append(form)

        async def close() -> None:
            self._called("close")

        return Download(in_memory(self.content), "application/jsonl", close)


def batch(batch_id: str) -> Batch:
    return Batch(batch_id, BatchKind.GENERATE, BatchState.RUNNING, "running")


class IsolatedProvider:
    def __init__(self) -> None:
        self.state, self.inner = Forgetful(), Inner()
        inner: Any = self.inner
        names = NameForms(
            re.compile(r"file-\w+"),
            re.compile(r"batch_\w+"),
            distinctive=True,
            file_members=frozenset({"file_id"}),
        )
        provider = Provider(
            name="openai",
            kind="openai",
            names=names,
            passed_headers=frozenset(),
            scoping_headers=frozenset(),
            uploads=inner,
            upload_check=inner,
            batch_check=inner,
            files=inner,
            batches=inner,
        )
        self.memory = MemoryBudget()
        self.provider = isolate_tenants(
            provider, self.state, LineSplitter(1000, self.memory), self.memory
        )

    @property
    def files(self) -> Any:
        return self.provider.files

    @property
    def batches(self) -> Any:
        return self.provider.batches


@pytest.fixture
def isolated() -> IsolatedProvider:
    return IsolatedProvider()


async def refused(attempt: Any) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await attempt
    return caught.value


# --- owners that cannot be recorded ----------------------------------------------------------


async def test_a_last_chunk_is_answered_once_its_file_has_an_owner(
    isolated: IsolatedProvider,
) -> None:
    session = UploadSession("s", {}, None, tenant="ann")
    chunk = Chunk(0, in_memory(b"hi"), finalize=True)
    isolated.state.away = True
    error = await refused(isolated.provider.uploads.send(session, chunk))
    assert (error.status, error.permanent, error.upload_status) == (Status.UNAVAILABLE, False, None)
    isolated.state.away = False
    assert await isolated.provider.uploads.send(session, chunk) == FINAL
    await isolated.files.get(ANN, FILE)
    assert (await refused(isolated.files.get(BOB, FILE))).status == Status.NOT_FOUND


async def test_a_file_whose_owner_cannot_be_recorded_is_deleted(isolated: IsolatedProvider) -> None:
    isolated.state.away = True
    error = await refused(isolated.files.create(ANN, "s", UploadStart(), in_memory(b"hi")))
    assert error.status == Status.UNAVAILABLE
    assert isolated.inner.calls == ["create", "delete"]


@pytest.mark.parametrize(
    ("refusing", "told"), [(None, "so it was cancelled"), ("cancel", "it could not be cancelled")]
)
async def test_a_batch_whose_owner_cannot_be_recorded_is_cancelled(
    isolated: IsolatedProvider, refusing: str | None, told: str
) -> None:
    isolated.state.away, isolated.inner.refusing = True, refusing
    error = await refused(isolated.batches.create(ANN, INLINE))
    assert error.status == Status.UNAVAILABLE
    assert "batches/batch_1 was created" in error.message
    assert told in error.message
    assert isolated.inner.calls == ["create", "cancel"]


async def test_a_batch_with_an_idempotency_key_is_not_cancelled(isolated: IsolatedProvider) -> None:
    isolated.state.away = True
    repeatable = NewBatch("m", BatchKind.GENERATE, [REQUEST], idempotency_key="1", fingerprint="f")
    error = await refused(isolated.batches.create(ANN, repeatable))
    assert "the same idempotency key" in error.message
    assert isolated.inner.calls == ["create"]
    isolated.state.away = False
    await isolated.batches.create(ANN, repeatable)
    await isolated.batches.get(ANN, "batch_1")


# --- clients that disconnect -----------------------------------------------------------------


async def leave(isolated: IsolatedProvider, call: Coroutine[Any, Any, Any]) -> None:
    """Disconnects while `call` creates something; it is created nevertheless."""
    isolated.inner.making.clear()
    isolated.inner.made.clear()
    calling = asyncio.create_task(call)
    await isolated.inner.making.wait()
    calling.cancel()
    isolated.inner.made.set()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_resource_created_after_its_client_disconnected_belongs_to_it(
    isolated: IsolatedProvider,
) -> None:
    await leave(isolated, isolated.files.create(ANN, "s", UploadStart(), in_memory(b"hi")))
    await leave(isolated, isolated.batches.create(ANN, INLINE))
    await isolated.files.get(ANN, FILE)
    await isolated.batches.get(ANN, "batch_1")
    assert isolated.inner.calls == ["create", "create", "get", "get"]


async def test_a_file_whose_last_chunk_was_cut_off_belongs_to_its_client(
    isolated: IsolatedProvider,
) -> None:
    session = UploadSession("s", {}, None, tenant="ann")
    await leave(
        isolated, isolated.provider.uploads.send(session, Chunk(0, in_memory(b"hi"), finalize=True))
    )
    await isolated.files.get(ANN, FILE)


async def test_a_chunk_before_the_last_ends_with_its_client(
    isolated: IsolatedProvider,
) -> None:
    isolated.inner.made.clear()
    session = UploadSession("s", {}, None, tenant="ann")
    chunk = Chunk(0, in_memory(b"hi"), finalize=False)
    sending = asyncio.create_task(isolated.provider.uploads.send(session, chunk))
    await isolated.inner.making.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_a_resource_that_cannot_be_recorded_is_deleted_and_logged(
    isolated: IsolatedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    isolated.state.away = True
    with caplog.at_level(logging.WARNING):
        await leave(isolated, isolated.batches.create(ANN, INLINE))
    assert isolated.inner.calls == ["create", "cancel"]
    assert (
        "a call failed after its client had disconnected: batches/batch_1 was created"
        in caplog.text
    )


# --- before a call goes on -------------------------------------------------------------------


async def test_the_provider_is_not_called_for_another_tenants_resources(
    isolated: IsolatedProvider,
) -> None:
    await isolated.batches.create(ANN, INLINE)
    isolated.inner.calls.clear()
    for attempt in (
        isolated.files.get(BOB, FILE),
        isolated.files.delete(BOB, FILE),
        isolated.files.download(BOB, FILE),
        isolated.batches.get(BOB, "batch_1"),
        isolated.batches.cancel(BOB, "batch_1"),
        isolated.batches.delete(BOB, "batch_1"),
        isolated.batches.create(BOB, NewBatch("m", BatchKind.GENERATE, FILE)),
    ):
        assert (await refused(attempt)).status == Status.NOT_FOUND
    assert isolated.inner.calls == []


async def test_results_have_the_format_that_their_tenant_requests(
    isolated: IsolatedProvider,
) -> None:
    await isolated.batches.create(ANN, INLINE)
    results = result_file_id("batch_1")
    await isolated.files.download(ANN, results, ResultForm.NATIVE)
    assert (await refused(isolated.files.download(BOB, results, ResultForm.NATIVE))).code == 404
    assert isolated.inner.forms == [ResultForm.NATIVE]


async def test_a_file_of_requests_is_read_to_its_end_and_closed(isolated: IsolatedProvider) -> None:
    await isolated.files.create(ANN, "s", UploadStart(), in_memory(b"hi"))
    isolated.inner.calls.clear()
    native = {"body": {"messages": [{"content": [{"file": {"file_id": "file-2"}}]}]}}
    isolated.inner.content = b"no JSON\n{}\n" + orjson.dumps(native)
    source = NewBatch("m", BatchKind.GENERATE, FILE)
    error = await refused(isolated.batches.create(ANN, source))
    assert error.path == "line 3.body.messages[0].content[0].file.file_id"
    assert isolated.inner.calls == ["download", "close"]
    isolated.inner.content = b"no JSON\n{}\n"
    await isolated.batches.create(ANN, source)
    assert isolated.inner.calls[2:] == ["download", "close", "create"]


async def test_a_deleted_resource_is_released(isolated: IsolatedProvider) -> None:
    await isolated.batches.create(ANN, INLINE)
    await isolated.files.create(ANN, "s", UploadStart(), in_memory(b"hi"))
    await isolated.batches.delete(ANN, "batch_1")
    await isolated.files.delete(ANN, FILE)
    assert isolated.state.objects == {}
