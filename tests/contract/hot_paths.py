"""The most frequent operations, each with the number of its calls."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from providers.body import drain
from providers.credential_proof import CredentialProof, GuardedState
from providers.known_credentials import KnownCredentials
from providers.provider import Provider
from providers.resource_names import result_file_id
from providers.resources import InlineResults, NewBatch, ResultFile
from providers.state import State
from providers.upload import GRANULARITY, UploadProgress, UploadSession, UploadStatus
from tests.contract.bedrock_immediate import has_ended
from tests.contract.bedrock_with_fake import MINIMUM, BedrockWithFake
from tests.contract.counted_state import CountedState
from tests.contract.provider_with_fake import ProviderWithFake, data_of, gemini_lines

TEXTS = [f"question {number}" for number in range(6)]
FEW = TEXTS[: MINIMUM - 1]
DATA = data_of(2 * GRANULARITY + 100)


@dataclass(frozen=True, slots=True)
class Calls:
    """`store` has the number of each kind of call to the state store."""

    upstream: int
    store: Mapping[str, int]

    def counts(self) -> Mapping[str, int]:
        return {"upstream": self.upstream, **self.store}


@dataclass(frozen=True, slots=True)
class Subject:
    """A provider, and how it is used. `over` is one more process, on another state store.

    `in_parts` is the name of a file that is uploaded in parts; `ended` is the status of a batch
    with results, and `without_results` are the orders to the fake that end one without any.
    """

    work: ProviderWithFake
    over: Callable[[State], Provider]
    inline: Callable[..., NewBatch]
    from_file: Callable[[str], NewBatch]
    in_parts: str
    ended: str
    without_results: Sequence[Mapping[str, Any]]

    async def counted(
        self, operation: Callable[[], Awaitable[None]], *, proven: bool = False
    ) -> Calls:
        """What `operation` costs in a process that has nothing in memory.

        So it may have to ask whether the caller's key is valid; `proven`: not within an upload.
        """
        state = CountedState(self.work.state)
        self.work.provider = self.over(GuardedState(state))
        proof = CredentialProof(
            KnownCredentials(), self.work.caller, self.work.provider.batch_check, proven=proven
        )
        before = await self._requests()
        with proof.open():
            await operation()
        return Calls(await self._requests() - before, state.counts())

    async def made(self, batch: NewBatch) -> str:
        return (await self.work.batches.create(self.work.caller, batch)).id

    async def made_and_ended(self, batch: NewBatch) -> str:
        batch_id = await self.made(batch)
        await self.work.move(batch_id, self.ended)
        return batch_id

    async def input_file(self) -> str:
        return await self.work.upload(gemini_lines(*TEXTS), "in.jsonl")

    async def chunk(self, session: UploadSession, number: int) -> UploadProgress:
        """One of three."""
        offset = number * GRANULARITY
        data = DATA[offset : offset + GRANULARITY]
        return await self.work.send(session, data, offset, finalize=number == 2)

    async def _requests(self) -> int:
        return len((await self.work.get("/_fake/requests"))["requests"])


Operation: TypeAlias = Callable[[Subject], Awaitable[Calls]]


# --- the operations -------------------------------------------------------------------------------


async def start_upload(subject: Subject) -> Calls:
    async def operation() -> None:
        await subject.work.start(len(DATA), subject.in_parts)

    return await subject.counted(operation)


async def first_chunk(subject: Subject) -> Calls:
    session = await subject.work.start(len(DATA), subject.in_parts)

    async def operation() -> None:
        assert (await subject.chunk(session, 0)).status is UploadStatus.ACTIVE

    return await subject.counted(operation, proven=True)


async def middle_chunk(subject: Subject) -> Calls:
    session = await subject.work.start(len(DATA), subject.in_parts)
    await subject.chunk(session, 0)

    async def operation() -> None:
        assert (await subject.chunk(session, 1)).status is UploadStatus.ACTIVE

    return await subject.counted(operation, proven=True)


async def last_chunk(subject: Subject) -> Calls:
    session = await subject.work.start(len(DATA), subject.in_parts)
    for number in range(2):
        await subject.chunk(session, number)

    async def operation() -> None:
        assert (await subject.chunk(session, 2)).status is UploadStatus.FINAL

    return await subject.counted(operation, proven=True)


async def every_chunk(subject: Subject) -> Calls:
    """In one process, which reads nothing again that cannot change."""
    session = await subject.work.start(len(DATA), subject.in_parts)

    async def operation() -> None:
        for number in range(3):
            await subject.chunk(session, number)

    return await subject.counted(operation, proven=True)


async def get_file(subject: Subject) -> Calls:
    file = await subject.work.upload(DATA[:100], subject.in_parts)

    async def operation() -> None:
        await subject.work.files.get(subject.work.caller, file)

    return await subject.counted(operation)


async def list_files(subject: Subject) -> Calls:
    """Two of them."""
    for session in ("one", "two"):
        await subject.work.upload(DATA[:100], subject.in_parts, session)

    async def operation() -> None:
        page = await subject.work.files.list(subject.work.caller, 10, None)
        assert len(page.items) == 2

    return await subject.counted(operation)


async def create_from_file(subject: Subject) -> Calls:
    batch = subject.from_file(await subject.input_file())

    async def operation() -> None:
        await subject.made(batch)

    return await subject.counted(operation)


async def create_inline(subject: Subject) -> Calls:
    async def operation() -> None:
        await subject.made(subject.inline(*TEXTS))

    return await subject.counted(operation)


async def create_repeatable(subject: Subject) -> Calls:
    """The first creation with an idempotency key."""

    async def operation() -> None:
        await subject.made(subject.inline(*TEXTS, idempotency_key="once"))

    return await subject.counted(operation)


async def get_running(subject: Subject) -> Calls:
    # A job that advances by this call would read its input, which the same journal records.
    await subject.work.post("/_fake/settings", {"auto_advance": False})
    batch_id = await subject.made(subject.inline(*TEXTS))

    async def operation() -> None:
        batch = await subject.work.batches.get(subject.work.caller, batch_id)
        assert not batch.state.terminal

    return await subject.counted(operation)


async def poll_running(subject: Subject) -> Calls:
    """As `get_running`, three times: what was read once is not read again."""
    await subject.work.post("/_fake/settings", {"auto_advance": False})
    batch_id = await subject.made(subject.inline(*TEXTS))

    async def operation() -> None:
        for _ in range(3):
            await subject.work.batches.get(subject.work.caller, batch_id)

    return await subject.counted(operation)


async def get_inline_results(subject: Subject) -> Calls:
    return await _counted_inline_results(
        subject, await subject.made_and_ended(subject.inline(*TEXTS))
    )


async def get_inline_failures(subject: Subject) -> Calls:
    """For a batch that ended without results, or whose results were deleted."""
    batch_id = await subject.made(subject.inline(*TEXTS))
    for order in subject.without_results:
        await subject.work.post(f"/_fake/batches/{batch_id}", order)
    return await _counted_inline_results(subject, batch_id)


async def get_ended_file_batch(subject: Subject) -> Calls:
    batch_id = await subject.made_and_ended(subject.from_file(await subject.input_file()))

    async def operation() -> None:
        batch = await subject.work.batches.get(subject.work.caller, batch_id)
        assert isinstance(batch.output, ResultFile)

    return await subject.counted(operation)


async def get_result_file(subject: Subject) -> Calls:
    batch_id = await subject.made_and_ended(subject.from_file(await subject.input_file()))

    async def operation() -> None:
        await subject.work.files.get(subject.work.caller, result_file_id(batch_id))

    return await subject.counted(operation)


async def list_of_two(subject: Subject) -> Calls:
    made = [await subject.made(subject.inline(text, *TEXTS)) for text in ("a", "b")]

    async def operation() -> None:
        page = await subject.work.batches.list(subject.work.caller, 2, None)
        assert [batch.id for batch in page.items] == made[::-1]

    return await subject.counted(operation)


async def download(subject: Subject) -> Calls:
    batch_id = await subject.made_and_ended(subject.from_file(await subject.input_file()))
    return await _counted_download(subject, batch_id)


async def small_batch_inline_results(subject: Subject) -> Calls:
    """For a batch that the proxy ran itself."""
    return await _counted_inline_results(subject, await _small_batch_ended(subject))


async def small_batch_download(subject: Subject) -> Calls:
    return await _counted_download(subject, await _small_batch_ended(subject))


async def _counted_inline_results(subject: Subject, batch_id: str) -> Calls:
    async def operation() -> None:
        batch = await subject.work.batches.get(subject.work.caller, batch_id)
        assert isinstance(batch.output, InlineResults)
        assert all(batch.output.items)
        await batch.output.close()

    return await subject.counted(operation)


async def _counted_download(subject: Subject, batch_id: str) -> Calls:
    async def operation() -> None:
        opened = await subject.work.files.download(subject.work.caller, result_file_id(batch_id))
        await drain(opened.body)
        await opened.close()

    return await subject.counted(operation)


async def _small_batch_ended(subject: Subject) -> str:
    assert isinstance(subject.work, BedrockWithFake)
    batch_id = await subject.made(subject.inline(*FEW))
    await has_ended(subject.work, batch_id)
    return batch_id
