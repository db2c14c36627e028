"""Providers whose batches the proxy runs itself, request by request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from providers.batches.immediate.jobs import ImmediateOptions, ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.own_batches.service import OwnBatches
from providers.provider import Batches, Files, Provider
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import (
    Batch,
    BatchKind,
    BatchState,
    Counts,
    FileSource,
    InlineRequest,
    InlineResults,
    NewBatch,
    ResultFile,
    ResultForm,
)
from providers.status import Status
from providers.tenancy.isolation import isolate_tenants
from providers.upload import UploadStart
from tests.contract import anthropic_with_fake as at_anthropic
from tests.contract import mistral_with_fake as at_mistral
from tests.contract import openai_with_fake as at_openai
from tests.contract.provider_with_fake import (
    ProviderWithFake,
    asking,
    gemini_lines,
    inline_batch,
    json_lines,
    refused,
)
from tests.fakes.openai import completions_app
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.stage import TestBackground

FAIL = "please fail"
TEXTS = ("hello", FAIL, "goodbye")
LIFE = timedelta(days=30)
OTHER = "other"
SETTING = "MOST_REQUESTS"


@dataclass
class Service:
    """A provider, its fake, and how a line in the provider's own format looks."""

    fake: Any
    model: str
    posts: str
    background: TestBackground

    def replica(self, credential: Credential | None = None) -> Provider:
        options = ImmediateOptions(ImmediateUse.ALWAYS, requests=20, calls=8, setting=SETTING)
        provider: Provider = self.fake.replica(
            own=OwnBatches(options, credential, LIFE, self.background)
        )
        return provider

    @property
    def with_fake(self) -> ProviderWithFake:
        found: ProviderWithFake = self.fake
        return found

    @property
    def caller(self) -> Caller:
        return self.with_fake.caller

    @property
    def batches(self) -> Batches:
        return self.with_fake.batches

    @property
    def files(self) -> Files:
        return self.with_fake.files

    async def ended(self, batch_id: str) -> Batch:
        await self.background.ended()
        assert self.background.failures == []
        return await self.batches.get(self.caller, batch_id)

    async def lines(self, batch_id: str, form: ResultForm = ResultForm.GEMINI) -> list[Any]:
        opened = await self.files.download(self.caller, result_file_id(batch_id), form)
        try:
            data = b"".join([chunk async for chunk in opened.body.chunks])
        finally:
            await opened.close()
        return [orjson.loads(line) for line in data.splitlines()]

    def from_file(self, file_id: str, **said: Any) -> NewBatch:
        return NewBatch(self.model, BatchKind.GENERATE, file_id, **said)

    def native_line(self, custom_id: str, text: str) -> dict[str, Any]:
        messages = [{"role": "user", "content": text}]
        match self.with_fake.provider.kind:
            case "openai":
                body = {"model": self.model, "messages": messages}
                url = "/v1/chat/completions"
                return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}
            case "mistral":
                return {"custom_id": custom_id, "body": {"messages": messages}}
            case _:
                params = {"model": self.model, "messages": messages, "max_tokens": 9}
                return {"custom_id": custom_id, "params": params}


async def items(batch: Batch) -> list[dict[str, Any]]:
    assert isinstance(batch.output, InlineResults)
    parsed = [orjson.loads(item) for item in batch.output.items]
    await batch.output.close()
    return parsed


def text_of(result: dict[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


async def has_ended(batches: Batches, caller: Caller, batch_id: str) -> Batch:
    """On the proxy's own key, whose looks for work never end."""
    async with asyncio.timeout(30):
        while True:
            batch = await batches.get(caller, batch_id)
            if batch.state.terminal:
                return batch
            await asyncio.sleep(0)


@pytest.fixture(params=["openai", "anthropic", "mistral"])
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        fake: Any
        match request.param:
            case "openai":
                opening = at_openai.openai_with_fake(completions_app)
                fake, model = await stack.enter_async_context(opening), at_openai.MODEL
            case "mistral":
                opening_mistral = at_mistral.mistral_with_fake()
                fake, model = await stack.enter_async_context(opening_mistral), at_mistral.MODEL
            case _:
                opening_anthropic = at_anthropic.anthropic_with_fake(MemoryState())
                fake = await stack.enter_async_context(opening_anthropic)
                model = at_anthropic.MODEL
        posts = "messages" if request.param == "anthropic" else "chat/completions"
        made = Service(fake, model, posts, TestBackground())
        fake.provider = made.replica()
        yield made
        await made.background.stop()
        assert fake.no_memory_reserved


# --- results ---------------------------------------------------------------------------------


async def test_inline_requests_have_results_in_their_order(service: Service) -> None:
    new = inline_batch(service.model, TEXTS, display_name="few")
    made = await service.batches.create(service.caller, new)
    assert made.id.startswith("immediate-")
    assert (made.state, made.display_name, made.output) == (BatchState.PENDING, "few", None)
    batch = await service.ended(made.id)
    assert (batch.state, batch.counts) == (BatchState.SUCCEEDED, Counts(3, 2, 1))
    found = await items(batch)
    assert [item["metadata"] for item in found] == [{"place": str(n)} for n in range(3)]
    assert [text_of(found[n]) for n in (0, 2)] == ["echo: hello", "echo: goodbye"]
    error = found[1]["error"]
    assert error["code"] == 3
    assert "fail" in error["message"]


async def test_a_file_of_requests(service: Service) -> None:
    file_id = await service.with_fake.upload(gemini_lines(*TEXTS), "in.jsonl")
    made = await service.batches.create(service.caller, service.from_file(file_id))
    batch = await service.ended(made.id)
    assert batch.output == ResultFile(result_file_id(made.id))
    found = {line["key"]: line for line in await service.lines(made.id)}
    assert text_of(found["k-0"]) == "echo: hello"
    assert found["k-1"]["error"]["code"] == 3
    assert text_of(found["k-2"]) == "echo: goodbye"
    # No call but those for the requests is needed, and no batch is at the provider.
    paths = set(await service.with_fake.calls("POST"))
    assert paths == {service.posts}


async def test_a_file_in_the_providers_own_format(service: Service) -> None:
    lines = json_lines(*(service.native_line(f"id-{n}", text) for n, text in enumerate(TEXTS)))
    file_id = await service.with_fake.upload(lines, "in.jsonl")
    made = await service.batches.create(service.caller, service.from_file(file_id))
    await service.ended(made.id)
    found = {line["key"]: line for line in await service.lines(made.id)}
    assert text_of(found["id-2"]) == "echo: goodbye"
    native = await service.lines(made.id, ResultForm.NATIVE)
    assert [line["custom_id"] for line in native] == ["id-0", "id-1", "id-2"]


async def test_a_lost_batch_is_found_by_its_key(service: Service) -> None:
    new = inline_batch(service.model, ("hello",), idempotency_key="k", fingerprint="f")
    first = await service.batches.create(service.caller, new)
    again = await service.batches.create(service.caller, new)
    assert again.id == first.id
    await service.ended(first.id)
    assert len(await service.with_fake.calls("POST")) == 1


async def test_a_list_shows_the_newest_batches_in_pages(service: Service) -> None:
    made = {
        (await service.batches.create(service.caller, inline_batch(service.model, (text,)))).id
        for text in TEXTS
    }
    await service.background.ended()
    found: list[str] = []
    token: str | None = None
    for more in (True, False):
        page = await service.batches.list(service.caller, 2, token)
        found += [batch.id for batch in page.items]
        token = page.next_page_token
        assert (token is not None) is more
    assert (len(found), set(found)) == (3, made)


# --- cancel and delete -----------------------------------------------------------------------


async def test_cancel_and_delete(service: Service) -> None:
    await service.with_fake.strike("POST", service.posts, "delay", name="held")
    made = await service.batches.create(service.caller, inline_batch(service.model, TEXTS[:1]))
    await service.with_fake.happened("held")
    error = await refused(service.batches.delete(service.caller, made.id))
    assert error.status == Status.FAILED_PRECONDITION
    await service.batches.cancel(service.caller, made.id)
    await service.with_fake.release("held")
    batch = await service.ended(made.id)
    assert batch.state is BatchState.CANCELLED
    await items(batch)
    error = await refused(service.batches.cancel(service.caller, made.id))
    assert error.status == Status.FAILED_PRECONDITION
    await service.batches.delete(service.caller, made.id)
    error = await refused(service.batches.get(service.caller, made.id))
    assert error.status == Status.NOT_FOUND


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
    for name in ("file-abc", result_file_id("batch_abc")):
        error = await refused(service.batches.create(service.caller, service.from_file(name)))
        assert error.status in (Status.NOT_FOUND, Status.INVALID_ARGUMENT)


# --- refusals --------------------------------------------------------------------------------


async def test_a_field_that_cannot_be_carried_is_refused_before_anything(service: Service) -> None:
    bad = asking("hello") | {"cachedContent": "cachedContents/x"}
    request = InlineRequest(orjson.dumps(bad), b"null", "requests[0].request")
    new = NewBatch(service.model, BatchKind.GENERATE, [request])
    error = await refused(service.batches.create(service.caller, new))
    assert error.status == Status.INVALID_ARGUMENT
    assert error.path is not None
    assert error.path.endswith("cachedContent")
    assert await service.with_fake.calls("POST") == []
    assert (await service.batches.list(service.caller, 10, None)).items == []


async def test_too_many_requests_name_the_setting(service: Service) -> None:
    new = inline_batch(service.model, ["hello"] * 21)
    error = await refused(service.batches.create(service.caller, new))
    assert error.status == Status.INVALID_ARGUMENT
    assert SETTING in error.message


async def test_a_refused_key_lets_the_batch_wait(service: Service) -> None:
    await service.with_fake.strike("POST", service.posts, "status", status=401)
    made = await service.batches.create(service.caller, inline_batch(service.model, TEXTS[:1]))
    await service.background.ended()
    batch = await service.batches.get(service.caller, made.id)
    assert batch.state is BatchState.RUNNING
    assert batch.counts == Counts(1, 0, 0)
    # It continues with another key of the same caller, in another process.
    fresh = replace(service.caller, headers={"a-header": "new"})
    provider = service.replica()
    assert provider.batches is not None
    await provider.batches.get(fresh, made.id)
    assert (await service.ended(made.id)).state is BatchState.SUCCEEDED


async def test_an_unknown_outcome_is_repeated_once(service: Service) -> None:
    await service.with_fake.strike("POST", service.posts, "status", status=500, times=9)
    made = await service.batches.create(service.caller, inline_batch(service.model, TEXTS[:1]))
    batch = await service.ended(made.id)
    assert batch.counts == Counts(1, 0, 1)
    [item] = await items(batch)
    assert item["error"]["code"] in (13, 14)
    assert len(await service.with_fake.calls("POST")) == 2


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


# --- embeddings ------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["openai", "mistral"], indirect=True)
async def test_embeddings(service: Service) -> None:
    model = {"openai": "text-embedding-3-small", "mistral": "mistral-embed"}
    texts: Sequence[str] = ("one", "two")
    requests = [
        InlineRequest(orjson.dumps({"content": {"parts": [{"text": text}]}}), b"null", f"[{n}]")
        for n, text in enumerate(texts)
    ]
    new = NewBatch(model[service.with_fake.provider.kind], BatchKind.EMBED, requests)
    made = await service.batches.create(service.caller, new)
    batch = await service.ended(made.id)
    assert (batch.kind, batch.counts) == (BatchKind.EMBED, Counts(2, 2, 0))
    found = await items(batch)
    assert all(item["response"]["embedding"]["values"] for item in found)


@pytest.mark.parametrize("service", ["anthropic"], indirect=True)
async def test_anthropic_has_no_embeddings(service: Service) -> None:
    request = InlineRequest(b'{"content":{"parts":[{"text":"one"}]}}', b"null", "[0]")
    new = NewBatch(service.model, BatchKind.EMBED, [request])
    with pytest.raises(FerryError) as caught:
        await service.batches.create(service.caller, new)
    assert caught.value.status == Status.UNIMPLEMENTED
