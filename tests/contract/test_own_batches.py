"""Providers whose batches the proxy runs itself, request by request."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest

from providers.errors import FerryError
from providers.resource_names import result_file_id
from providers.resources import (
    BatchKind,
    BatchState,
    Counts,
    InlineRequest,
    NewBatch,
    ResultFile,
    ResultForm,
)
from providers.status import Status
from tests.contract.own_batch_service import SETTING, TEXTS, Service, items, text_of
from tests.contract.provider_with_fake import (
    asking,
    gemini_lines,
    inline_batch,
    json_lines,
    refused,
)

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


async def test_no_reason_in_an_answer_shows_the_key(service: Service) -> None:
    """Some servers answer with an error and the status 200."""
    secret = service.caller.credential.secret
    body = orjson.dumps({"error": {"message": f"{secret} is wrong"}}).decode()
    await service.with_fake.strike("POST", service.posts, "status", status=200, body=body)
    made = await service.batches.create(service.caller, inline_batch(service.model, TEXTS[:1]))
    (result,) = await items(await service.ended(made.id))
    assert not secret or secret not in result["error"]["message"]


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
    assert item["error"]["code"] == 14
    assert len(await service.with_fake.calls("POST")) == 2


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
