"""Batches that the proxy runs itself: the files that it keeps, and whose key is used."""

from dataclasses import replace

from providers.batches.json_lines import LineSplitter
from providers.body import in_memory
from providers.credential import Caller
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import (
    Counts,
    FileSource,
)
from providers.status import Status
from providers.tenancy.isolation import isolate_tenants
from providers.upload import UploadStart
from tests.contract.own_batch_service import OTHER, TEXTS, Service, has_ended, items
from tests.contract.provider_with_fake import (
    gemini_lines,
    inline_batch,
    refused,
)
from tests.memory_state import MemoryState

# --- files -----------------------------------------------------------------------------------


async def test_the_proxy_keeps_the_input(service: Service) -> None:
    content = gemini_lines("hello")
    file_id = await service.with_fake.upload(content, "in.jsonl")
    decoded = decode_file_id(file_id)
    assert decoded is not None
    assert decoded.kind is FileKind.STAGED
    assert service.with_fake.provider.names.has_letter(decoded.kind, decoded.native)
    file = await service.files.get(service.caller, file_id)
    assert (file.display_name, file.size, file.source) == (
        "in.jsonl",
        len(content),
        FileSource.UPLOADED,
    )
    listed = await service.files.list(service.caller, 10, None)
    assert [each.id for each in listed.items] == [file_id]
    opened = await service.files.download(service.caller, file_id)
    assert b"".join([chunk async for chunk in opened.body.chunks]) == content
    await opened.close()
    for call in (
        service.files.get(replace(service.caller, tenant=OTHER), file_id),
        service.batches.create(replace(service.caller, tenant=OTHER), service.from_file(file_id)),
    ):
        assert (await refused(call)).status == Status.NOT_FOUND
    await service.files.delete(service.caller, file_id)
    assert (await service.files.list(service.caller, 10, None)).items == []


async def test_a_large_input_in_parts(service: Service) -> None:
    content = gemini_lines("hello") + b"\n" * (9 << 20)
    opened = await service.with_fake.start(len(content), "in.jsonl")
    cut = 8 << 20
    await service.with_fake.send(opened, content[:cut])
    progress = await service.with_fake.send(opened, content[cut:], cut, finalize=True)
    assert progress.file is not None
    made = await service.batches.create(service.caller, service.from_file(progress.file.id))
    batch = await service.ended(made.id)
    assert batch.counts == Counts(1, 1, 0)


async def test_files_of_results_are_deleted_alone(service: Service) -> None:
    file_id = await service.with_fake.upload(gemini_lines("hello"), "in.jsonl")
    made = await service.batches.create(service.caller, service.from_file(file_id))
    await service.ended(made.id)
    results = result_file_id(made.id)
    assert (await service.files.get(service.caller, results)).source is FileSource.GENERATED
    await service.files.delete(service.caller, results)
    assert (await refused(service.files.get(service.caller, results))).status == Status.NOT_FOUND


async def test_an_input_that_the_proxy_does_not_keep(service: Service) -> None:
    wrong = {
        "file-abc": Status.NOT_FOUND,
        result_file_id("batch_abc"): Status.INVALID_ARGUMENT,
    }
    for name, status in wrong.items():
        error = await refused(service.batches.create(service.caller, service.from_file(name)))
        assert error.status == status


# --- credentials -----------------------------------------------------------------------------


async def test_no_key_is_stored(service: Service) -> None:
    made = await service.batches.create(service.caller, inline_batch(service.model, TEXTS))
    await service.ended(made.id)
    secret = service.caller.credential.secret.encode()
    state = service.with_fake.state
    assert isinstance(state, MemoryState)
    assert state.objects
    for name, data in state.objects.items():
        assert secret not in name.encode() + data


async def test_a_replica_with_the_proxys_own_key_continues_by_itself(service: Service) -> None:
    own = service.caller.credential
    await service.with_fake.strike("POST", service.posts, "delay", name="held")
    provider = service.replica(own)
    assert provider.batches is not None
    tenant = Caller(own, "a-client")
    made = await provider.batches.create(tenant, inline_batch(service.model, TEXTS[:1]))
    await service.with_fake.happened("held")
    await service.background.stop()  # it releases the lease
    await service.with_fake.release("held")
    another = service.replica(own)
    assert another.batches is not None
    await service.with_fake.get("/_fake/events", {"wait": "requests", "count": "2"})
    batch = await has_ended(another.batches, tenant, made.id)
    assert batch.counts == Counts(1, 1, 0)
    await items(batch)


async def test_tenants_of_the_proxys_own_key_are_isolated(service: Service) -> None:
    own = service.caller.credential
    memory = service.with_fake.memory
    provider = isolate_tenants(
        service.replica(own), service.with_fake.state, LineSplitter(1 << 20, memory), memory
    )
    service.with_fake.provider = provider
    one, other = Caller(own, "one"), Caller(own, "two")
    start = UploadStart(display_name="in.jsonl")
    content = in_memory(gemini_lines("hello"))
    file = await service.files.create(one, "s1", start, content)
    made = await service.batches.create(one, service.from_file(file.id))
    assert (await has_ended(service.batches, one, made.id)).counts == Counts(1, 1, 0)
    assert [each.id for each in (await service.files.list(one, 9, None)).items] == [file.id]
    assert [each.id for each in (await service.batches.list(one, 9, None)).items] == [made.id]
    assert (await service.files.list(other, 9, None)).items == []
    assert (await service.batches.list(other, 9, None)).items == []
    for call in (
        service.files.get(other, file.id),
        service.files.delete(other, file.id),
        service.files.get(other, result_file_id(made.id)),
        service.batches.get(other, made.id),
        service.batches.create(other, service.from_file(file.id)),
    ):
        assert (await refused(call)).status == Status.NOT_FOUND
    await service.batches.delete(one, made.id)
    await service.files.delete(one, file.id)
    assert (await service.files.list(one, 9, None)).items == []
