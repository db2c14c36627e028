"""How many calls the most frequent operations make, to the provider and to the state store.

A client waits for each of them. The recorded numbers, by the kind of call to the store, are in
`tests/recorded/provider_and_store_calls.json`. If an operation stores something before its first
call to the provider, one of its calls asks whether the key is valid; this is needed at most once in
five minutes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
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
    every_chunk,
    first_chunk,
    get_ended_file_batch,
    get_file,
    get_inline_failures,
    get_inline_results,
    get_result_file,
    get_running,
    last_chunk,
    list_files,
    list_of_two,
    middle_chunk,
    poll_running,
    small_batch_download,
    small_batch_inline_results,
    start_upload,
)
from tests.contract.provider_with_fake import asking, data_of
from tests.recorded_counts import recorded_calls

TABLE: Final = "provider_and_store_calls"
_BATCHES: Final[Sequence[Operation]] = (
    create_from_file,
    create_inline,
    create_repeatable,
    get_running,
    poll_running,
    get_inline_results,
    get_inline_failures,
    get_ended_file_batch,
    get_result_file,
    list_of_two,
    download,
)
_UPLOADS: Final[Sequence[Operation]] = (
    start_upload,
    first_chunk,
    middle_chunk,
    last_chunk,
    every_chunk,
)
_FILES: Final[Sequence[Operation]] = (get_file, list_files)
OPERATIONS: Final[Mapping[str, Sequence[Operation]]] = {
    "openai": (*_UPLOADS, *_FILES, *_BATCHES),
    "openai without its Uploads API": _UPLOADS,
    "anthropic": (*_UPLOADS, *_FILES, *_BATCHES),
    "anthropic, a document": (*_UPLOADS, *_FILES),
    "mistral": (*_UPLOADS, *_FILES, *_BATCHES),
    "bedrock": (
        *_UPLOADS,
        *_FILES,
        *_BATCHES,
        small_batch_inline_results,
        small_batch_download,
    ),
}


def rows(provider: str) -> list[Any]:
    return [
        pytest.param(name, operation, id=f"{name}: {operation.__name__}")
        for name, operations in OPERATIONS.items()
        if name.startswith(provider)
        for operation in operations
    ]


async def check(name: str, operation: Operation, subject: Subject) -> None:
    subject.work.provider = subject.over(subject.work.state)
    assert_within(f"{name}: {operation.__name__}", await operation(subject))


def assert_within(row: str, calls: Calls) -> None:
    """No more calls of either kind than recorded, since a tenth of so few is less than one."""
    most = recorded_calls(TABLE, row, calls.counts())
    upstream, store = most["upstream"], sum(most.values()) - most["upstream"]
    assert calls.upstream <= upstream, f"{calls}; {upstream} were recorded"
    assert sum(calls.store.values()) <= store, f"{calls}; {store} were recorded"


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
    calls = Calls(len(await google.requests()) - before, state.counts())
    assert_within(f"gemini: {name}", calls)


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
