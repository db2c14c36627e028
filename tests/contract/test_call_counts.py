"""How many calls the most frequent operations make, to the provider and to the state store.

A client waits for each of them. The numbers in the table may only become smaller. If an operation
stores something before its first call to the provider, one of its calls asks whether the key is
valid; this is needed at most once in five minutes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
import pytest
from yarl import URL

from providers.batches.immediate.jobs import ImmediateUse
from providers.body import in_memory
from providers.credential_proof import CredentialProof, GuardedState
from providers.known_credentials import KnownCredentials
from providers.provider import Provider, RelayedRequest
from providers.state import State
from providers.upload import UploadStatus
from tests.contract import (
    anthropic_with_fake,
    bedrock_with_fake,
    mistral_with_fake,
    openai_with_fake,
)
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.counted_state import CountedState
from tests.contract.gemini_with_fake import CALLER, CHUNK, GeminiWithFake, gemini_with_fake
from tests.contract.hot_paths import (
    Calls,
    Operation,
    Subject,
    create_from_file,
    create_inline,
    create_repeatable,
    download,
    get_ended_file_batch,
    get_inline_failures,
    get_inline_results,
    get_result_file,
    get_running,
    last_chunk,
    list_of_two,
    middle_chunk,
    small_batch_download,
    small_batch_inline_results,
)
from tests.contract.provider_with_fake import asking, data_of

# Batches whose input and results are files at the provider.
_FILE_BATCHES: Final[Mapping[Operation, Calls]] = {
    create_from_file: Calls(5, 2),
    create_inline: Calls(2, 2),
    create_repeatable: Calls(3, 5),
    get_running: Calls(1, 1),
    get_inline_results: Calls(2, 3),
    get_inline_failures: Calls(1, 3),
    get_ended_file_batch: Calls(1, 2),
    get_result_file: Calls(1, 2),
    list_of_two: Calls(1, 2),
    download: Calls(2, 3),
}
# At most, by provider and operation: calls to the provider, calls to the store.
MOST: Final[Mapping[str, Mapping[Operation, Calls]]] = {
    "openai": {
        middle_chunk: Calls(1, 6),
        last_chunk: Calls(2, 16),
        **_FILE_BATCHES,
    },
    "openai without its Uploads API": {middle_chunk: Calls(0, 6), last_chunk: Calls(1, 18)},
    "anthropic": {
        middle_chunk: Calls(0, 6),
        last_chunk: Calls(0, 11),
        create_from_file: Calls(2, 6),
        create_inline: Calls(2, 3),
        create_repeatable: Calls(2, 6),
        get_running: Calls(1, 1),
        get_inline_results: Calls(2, 2),
        get_inline_failures: Calls(1, 2),
        get_ended_file_batch: Calls(1, 1),
        get_result_file: Calls(1, 1),
        list_of_two: Calls(1, 2),
        download: Calls(2, 2),
    },
    "anthropic, a document": {middle_chunk: Calls(0, 6), last_chunk: Calls(1, 15)},
    "mistral": {
        middle_chunk: Calls(0, 6),
        last_chunk: Calls(1, 15),
        **_FILE_BATCHES,
    },
    "bedrock": {
        middle_chunk: Calls(3, 3),
        last_chunk: Calls(6, 6),
        create_from_file: Calls(5, 4),
        create_inline: Calls(3, 4),
        create_repeatable: Calls(4, 7),
        get_running: Calls(1, 3),
        get_inline_results: Calls(3, 5),
        get_inline_failures: Calls(2, 5),
        get_ended_file_batch: Calls(1, 4),
        get_result_file: Calls(1, 4),
        list_of_two: Calls(1, 7),
        download: Calls(3, 5),
        small_batch_inline_results: Calls(0, 5),
        small_batch_download: Calls(0, 5),
    },
}
# Gemini's own API is relayed.
GEMINI: Final[Mapping[str, Calls]] = {
    "middle_chunk": Calls(1, 1),
    "last_chunk": Calls(1, 1),
    "create_inline": Calls(1, 0),
    "create_repeatable": Calls(2, 4),
    "get": Calls(1, 0),
}


def rows(provider: str) -> list[Any]:
    return [
        pytest.param(name, operation, id=f"{name}: {operation.__name__}")
        for name, operations in MOST.items()
        if name.startswith(provider)
        for operation in operations
    ]


async def check(name: str, operation: Operation, subject: Subject) -> None:
    subject.work.provider = subject.over(subject.work.state)
    assert_within(await operation(subject), MOST[name][operation])


def assert_within(calls: Calls, most: Calls) -> None:
    assert calls.upstream <= most.upstream, calls
    assert calls.store <= most.store, calls


@pytest.mark.parametrize(("name", "operation"), rows("openai"))
async def test_openai(name: str, operation: Operation) -> None:
    async with openai_with_fake.openai_with_fake() as work:
        subject = Subject(
            work,
            lambda state: work.replica(staged=name != "openai", state=state),
            openai_with_fake.inline,
            openai_with_fake.from_file,
            in_parts="a.png",
            ended="completed",
            without_results=[{"status": "failed"}],
        )
        await check(name, operation, subject)


@pytest.mark.parametrize(("name", "operation"), rows("anthropic"))
async def test_anthropic(name: str, operation: Operation) -> None:
    async with anthropic_with_fake.anthropic_with_fake() as work:
        subject = Subject(
            work,
            lambda state: work.replica(state=state),
            anthropic_with_fake.inline,
            anthropic_with_fake.from_file,
            in_parts="in.jsonl" if name == "anthropic" else "a.pdf",
            ended="ended",
            without_results=[{"status": "ended"}, {"archived": True}],
        )
        await check(name, operation, subject)


@pytest.mark.parametrize(("name", "operation"), rows("mistral"))
async def test_mistral(name: str, operation: Operation) -> None:
    async with mistral_with_fake.mistral_with_fake() as work:
        subject = Subject(
            work,
            lambda state: work.replica(state=state),
            mistral_with_fake.inline,
            mistral_with_fake.from_file,
            in_parts="a.pdf",
            ended="SUCCESS",
            without_results=[{"status": "FAILED"}],
        )
        await check(name, operation, subject)


@pytest.mark.parametrize(("name", "operation"), rows("bedrock"))
async def test_bedrock(bedrock: BedrockWithFake, name: str, operation: Operation) -> None:
    def over(state: State) -> Provider:
        return bedrock.replica(immediate=ImmediateUse.SMALL, state=state)

    subject = Subject(
        bedrock,
        over,
        bedrock_with_fake.inline,
        bedrock_with_fake.from_file,
        in_parts="a.bin",
        ended="Completed",
        without_results=[{"status": "Failed"}],
    )
    await check(name, operation, subject)


# --- Gemini ---------------------------------------------------------------------------------------


@pytest.fixture
async def google() -> AsyncIterator[GeminiWithFake]:
    async with gemini_with_fake() as work:
        yield work


async def check_google(
    google: GeminiWithFake, name: str, operation: Callable[[], Awaitable[None]]
) -> None:
    state = CountedState(google.state)
    google.provider = google.replica(GuardedState(state))
    check = google.provider.batch_check
    proof = CredentialProof(KnownCredentials(), CALLER, check, proven=name.endswith("chunk"))
    before = len(await google.requests())
    with proof.open():
        await operation()
    calls = Calls(len(await google.requests()) - before, len(state.calls))
    assert_within(calls, GEMINI[name])


@pytest.mark.parametrize(("name", "number"), [("middle_chunk", 1), ("last_chunk", 2)])
async def test_a_chunk_to_gemini(google: GeminiWithFake, name: str, number: int) -> None:
    data = data_of(3 * CHUNK)
    session = await google.start(len(data))

    async def chunk(number: int) -> UploadStatus:
        offset, last = number * CHUNK, number == 2
        sent = data[offset : offset + CHUNK]
        return (await google.send(session, sent, offset, finalize=last)).status

    for earlier in range(number):
        assert await chunk(earlier) is UploadStatus.ACTIVE

    async def operation() -> None:
        assert await chunk(number) is (UploadStatus.FINAL if number == 2 else UploadStatus.ACTIVE)

    await check_google(google, name, operation)


@pytest.mark.parametrize(
    ("name", "headers"),
    [("create_inline", {}), ("create_repeatable", {"x-ferry-idempotency-key": "once"})],
)
async def test_a_creation_at_gemini(
    google: GeminiWithFake, name: str, headers: dict[str, str]
) -> None:
    async def operation() -> None:
        await relay(google, creation(headers))

    await check_google(google, name, operation)


async def test_a_get_at_gemini(google: GeminiWithFake) -> None:
    batch = await relay(google, creation({}))

    async def operation() -> None:
        target = URL(f"/v1beta/{batch['name']}")
        await relay(google, RelayedRequest("GET", target, {}, None))

    await check_google(google, "get", operation)


def creation(headers: dict[str, str]) -> RelayedRequest:
    requests = {"requests": [{"request": asking("hello")}]}
    document = {"batch": {"inputConfig": {"requests": requests}}}
    target = URL("/v1beta/models/gemini-2.5-flash:batchGenerateContent", encoded=True)
    inbound = {"content-type": "application/json", **headers}
    return RelayedRequest("POST", target, inbound, in_memory(orjson.dumps(document)))


async def relay(google: GeminiWithFake, request: RelayedRequest) -> Any:
    async with await google.relay(CALLER, request) as reply:
        assert reply.status == 200
        return orjson.loads(await reply.read(1 << 20))
