"""Any order of calls, faults and kills: one batch for a key, and one result for a request."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from aiohttp import ClientError
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.end_to_end.batch_client import (
    Answer,
    BatchClient,
    Document,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.test_faults.replica_machine import MOST_KILLS, ReplicaMachine, either

RETRYABLE: Final = (429, 503, 504)

numbers = count(1)
sizes = st.integers(1, 3)
any_of_them = st.integers(0, 100)


@dataclass
class Batch:
    """One that a client asked for. `name` is empty while the client knows no batch.

    `unknown`: there may be a batch in spite of that. `ordered` results are inline ones.
    """

    source: Document
    texts: list[str]
    key: str | None
    ordered: bool
    name: str = ""
    unknown: bool = False
    cancelled: bool = False
    deleted: bool = False

    @property
    def known(self) -> bool:
        return bool(self.name) and not self.deleted

    @property
    def headers(self) -> Mapping[str, str]:
        return {} if self.key is None else {"x-ferry-idempotency-key": self.key}

    def created(self, answer: Answer) -> None:
        """A batch that is known once stays the same one."""
        name = answer.ok["name"]
        assert self.name in ("", name), (self, name)
        self.name, self.unknown = name, False


class BatchMachine(ReplicaMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clients = [
            BatchClient(base_url, self.upstream.kind, self.replicas.http)
            for base_url in self.replicas.base_urls
        ]
        self.batches: list[Batch] = []

    @initialize()
    def start(self) -> None:
        self.run(self.upstream.reset())

    # --- creations -------------------------------------------------------------------------------

    @rule(number=either, size=sizes, in_a_file=st.booleans(), keyed=st.booleans())
    def create(self, number: int, size: int, in_a_file: bool, keyed: bool) -> None:
        batch = self.new(size, in_a_file, keyed)
        batch.created(self.run(self.creation(number, batch)))

    @rule(size=sizes, in_a_file=st.booleans())
    def create_at_both_with_one_key(self, size: int, in_a_file: bool) -> None:
        batch = self.new(size, in_a_file, keyed=True)
        answers = self.run(gathered(self.creation(0, batch), self.creation(1, batch)))
        for answer in answers:
            if answer.code == 200:
                batch.created(answer)
            else:
                assert answer.code == 409 or answer.code in RETRYABLE, answer
        assert batch.name, answers

    @rule(
        number=either,
        size=sizes,
        keyed=st.booleans(),
        fault=st.sampled_from(["lose_answer", "reset", "status"]),
    )
    def create_while_the_upstream_fails(
        self, number: int, size: int, keyed: bool, fault: str
    ) -> None:
        batch = self.new(size, False, keyed)
        options = {"status": 503} if fault == "status" else {}
        self.run(self.upstream.arm(self.upstream.kind.create, fault, **options))
        answer = self.run(self.creation(number, batch))
        if answer.code == 200:
            batch.created(answer)
        else:
            assert answer.code in RETRYABLE, answer
            batch.unknown = True

    @precondition(lambda self: self.kills < MOST_KILLS)
    @rule(number=either, keyed=st.booleans())
    def kill_during_a_creation(self, number: int, keyed: bool) -> None:
        self.kills += 1
        batch = self.new(1, False, keyed)
        batch.unknown = True
        self.run(self.killed_during(self.creation(number, batch), number))

    @precondition(lambda self: self.some(lambda batch: batch.key and not batch.deleted))
    @rule(number=either, which=any_of_them)
    def repeat_with_its_key(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.key and not batch.deleted)
        answer = self.run(self.creation(number, batch))
        if answer.code == 200:
            batch.created(answer)
        else:  # it cannot be found at this provider
            assert not batch.name, answer
            assert answer.error == (409, "ABORTED")

    @precondition(lambda self: self.some(lambda batch: batch.key and batch.known))
    @rule(number=either, which=any_of_them)
    def use_its_key_for_another(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.key and batch.known)
        other = inline({"request": asking("another")})
        answer = self.run(self.clients[number].create(other, headers=batch.headers))
        assert answer.error == (409, "ALREADY_EXISTS")

    # --- what is done with a batch ---------------------------------------------------------------

    @precondition(lambda self: self.some(lambda batch: batch.known))
    @rule(number=either, which=any_of_them)
    def get(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        document = self.run(self.clients[number].get(batch.name)).ok
        if self.kind != "gemini":  # Google counts the lines of a file later
            stats = document["metadata"]["batchStats"]
            assert stats["requestCount"] == str(len(batch.texts)), document

    @precondition(lambda self: self.some(lambda batch: batch.known))
    @rule(number=either, which=any_of_them)
    def cancel(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        answer = self.run(self.clients[number].cancel(batch.name))
        if answer.code == 200:
            batch.cancelled = True
        else:
            assert answer.error == (400, "FAILED_PRECONDITION")

    @precondition(lambda self: self.some(lambda batch: batch.known))
    @rule(number=either, which=any_of_them)
    def delete(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        answer = self.run(self.clients[number].delete(batch.name))
        if answer.code == 200:
            batch.deleted = True
        else:
            assert answer.error == (400, "FAILED_PRECONDITION")

    @precondition(lambda self: self.some(lambda batch: batch.deleted))
    @rule(number=either, which=any_of_them)
    def use_a_deleted_one(self, number: int, which: int) -> None:
        name = self.pick(which, lambda batch: batch.deleted).name
        client = self.clients[number]
        for call in (client.get(name), client.cancel(name), client.delete(name)):
            assert self.run(call).error == (404, "NOT_FOUND")

    @precondition(lambda self: self.some(lambda batch: batch.known))
    @rule(number=either, which=any_of_them)
    def read_results(self, number: int, which: int) -> None:
        self.run(self.check_results(number, self.pick(which, lambda batch: batch.known)))

    @rule(number=either, page_size=st.sampled_from([1, 2, 100]))
    def list_all(self, number: int, page_size: int) -> None:
        self.run(self.check_list(number, page_size))

    def teardown(self) -> None:
        self.run(self.check_list(0, 100))
        for number, batch in enumerate(self.batches):
            if batch.known:
                self.run(self.check_results(number % 2, batch))

    # --- what the rules are made of --------------------------------------------------------------

    def some(self, chosen: Any) -> bool:
        return any(map(chosen, self.batches))

    def pick(self, which: int, chosen: Any) -> Batch:
        found = [batch for batch in self.batches if chosen(batch)]
        return found[which % len(found)]

    def new(self, size: int, in_a_file: bool, keyed: bool) -> Batch:
        number = next(numbers)
        texts = [f"request {n} of {number}" for n in range(size)]
        if in_a_file:
            lines = [gemini_line(f"key-{n}", text) for n, text in enumerate(texts)]
            source = from_file(self.run(self.clients[0].upload_lines(lines)))
        else:
            source = inline(*({"request": asking(text)} for text in texts))
        key = f"the key of {number}" if keyed else None
        batch = Batch(source, texts, key, ordered=not in_a_file)
        self.batches.append(batch)
        return batch

    async def creation(self, number: int, batch: Batch) -> Answer:
        return await self.clients[number].create(batch.source, headers=batch.headers)

    async def killed_during(self, creation: Coroutine[Any, Any, Answer], number: int) -> None:
        held = await self.upstream.arm(
            self.upstream.kind.create, "delay", name=f"held-{next(numbers)}", at="answer"
        )
        creating = asyncio.create_task(creation)
        await self.upstream.struck(held)
        await self.replicas.kill(number)
        (ended,) = await asyncio.gather(creating, return_exceptions=True)
        assert isinstance(ended, ClientError), ended
        await self.upstream.release(held)

    async def check_results(self, number: int, batch: Batch) -> None:
        """Each request has one result: its answer, or an error if the batch was cancelled."""
        client = self.clients[number]
        document = await client.ended(batch.name)
        state = document["metadata"]["state"]
        assert state == "BATCH_STATE_SUCCEEDED" or batch.cancelled, document
        if self.kind == "gemini" and state != "BATCH_STATE_SUCCEEDED":
            return  # what it then has is Google's own affair
        results = await client.results(document)
        if not batch.ordered:
            keyed = by_key(results)
            results = [keyed[f"key-{n}"] for n in range(len(keyed))]
        assert len(results) == len(batch.texts)
        for text, result in zip(batch.texts, results, strict=True):
            if "error" in result:
                assert batch.cancelled, result
            else:
                assert text_of(result) == f"echo: {text}"

    async def check_list(self, number: int, page_size: int) -> None:
        names: list[str] = []
        token = ""
        while True:
            path = f"v1beta/batches?pageSize={page_size}&pageToken={token}"
            page = (await self.clients[number].call("GET", path)).ok
            names += [one["name"] for one in page.get("operations", [])]
            token = page.get("nextPageToken", "")
            if not token:
                break
        known = {batch.name for batch in self.batches if batch.known}
        unknown = [batch for batch in self.batches if batch.unknown]
        assert len(set(names)) == len(names)
        assert known <= set(names)
        assert len(names) <= len(known) + len(unknown), (names, known)


async def gathered(*sent: Coroutine[Any, Any, Answer]) -> list[Answer]:
    return list(await asyncio.gather(*sent))
