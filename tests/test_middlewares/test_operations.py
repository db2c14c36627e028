"""Each operation calls the one method that it needs, and is refused by a provider without it."""

from typing import Any

import pytest

from middlewares import operations as op
from middlewares import outcomes
from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.provider import Provider
from providers.resources import BatchKind, File, NewBatch, Page, ResultForm
from providers.status import Status
from providers.upload import UploadStart
from tests.test_middlewares.running_chain import Scripted, scripted_provider

CALLER = Caller(Credential(api_key="a"), "tenant")
START, BODY, BATCH = UploadStart(), in_memory(b"data"), NewBatch("m", BatchKind.GENERATE, "f1")
FOUND = object()

OPERATIONS: list[tuple[op.Operation, str, tuple[Any, ...]]] = [
    (op.CreateFile(START, BODY), "files.create", ("session", START, BODY)),
    (op.ListFiles(10, "token"), "files.list", (10, "token")),
    (op.GetFile("f1"), "files.get", ("f1",)),
    (op.DeleteFile("f1"), "files.delete", ("f1",)),
    (op.DownloadFile("f1", ResultForm.NATIVE), "files.download", ("f1", ResultForm.NATIVE)),
    (op.CreateBatch(BATCH), "batches.create", (BATCH,)),
    (op.ListBatches(10, None), "batches.list", (10, None)),
    (op.GetBatch("b1"), "batches.get", ("b1",)),
    (op.CancelBatch("b1"), "batches.cancel", ("b1",)),
    (op.DeleteBatch("b1"), "batches.delete", ("b1",)),
]
NAMES = [type(operation).__name__ for operation, _, _ in OPERATIONS]


def provider_with(capability: str, asked: Scripted) -> Provider:
    if capability == "files":
        return scripted_provider("p", files=asked)
    return scripted_provider("p", batches=asked)


@pytest.mark.parametrize(("operation", "method", "arguments"), OPERATIONS, ids=NAMES)
async def test_it_calls_one_method(
    monkeypatch: pytest.MonkeyPatch,
    operation: op.Operation,
    method: str,
    arguments: tuple[Any, ...],
) -> None:
    monkeypatch.setattr(op, "new_session_id", lambda *_: "session")
    capability, _, name = method.partition(".")
    asked = Scripted(lambda *_: FOUND)
    outcome = await operation.carry_out(provider_with(capability, asked), CALLER)
    assert asked.calls == [(name, CALLER, *arguments)]
    match name:
        case "delete" | "cancel":
            assert outcome is None
        case "list":
            assert isinstance(outcome, outcomes.Listed)
            assert outcome.page is FOUND
        case "create" if capability == "files":
            assert isinstance(outcome, outcomes.FileCreated)
        case "create":
            assert isinstance(outcome, outcomes.BatchCreated)
            assert outcome.batch is FOUND
        case _:
            assert outcome is FOUND


@pytest.mark.parametrize(("operation", "method", "_"), OPERATIONS, ids=NAMES)
async def test_without_the_capability_it_is_unimplemented(
    operation: op.Operation, method: str, _: object
) -> None:
    other = "batches" if method.startswith("files.") else "files"
    asked = Scripted(lambda *_: FOUND)
    with pytest.raises(FerryError) as refused:
        await operation.carry_out(provider_with(other, asked), CALLER)
    assert refused.value.status is Status.UNIMPLEMENTED
    assert refused.value.message == f"client.{method.partition('.')[0]} does not work with p"
    assert asked.calls == []


async def test_a_list_has_the_name_that_the_sdk_reads() -> None:
    page: Page[File] = Page([File(id="f1")])
    asked = Scripted(lambda *_: page)
    provider = scripted_provider("p", files=asked, batches=asked)
    files = await op.ListFiles(10, None).carry_out(provider, CALLER)
    batches = await op.ListBatches(10, None).carry_out(provider, CALLER)
    assert (files, batches.member) == (outcomes.Listed("files", page), "operations")
