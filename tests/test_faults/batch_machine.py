"""Any order of calls, faults and deaths: one batch for a key, and one result for a request."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

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
from tests.test_faults.replica_machine import ReplicaMachine, deaths, either, faults, gathered, when

RETRYABLE: Final = (429, 503, 504)
FINDS_LOST_ONES: Final = ("openai", "mistral", "bedrock")
"""The kinds at which a repeat without a key gets the batch whose answer was lost."""
ATTEMPTS: Final = 4
MOST_BATCHES: Final = 6
JSON_LINES: Final = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "application/jsonl"}

numbers = count(1000)
sizes = st.integers(1, 3)
any_of_them = st.integers(0, 100)


@dataclass(eq=False)
class Batch:
    """One that a client asked for. `name` is empty while the client knows no batch.

    `unknown`: there may be a batch in spite of that; `lost`: and the answer of the upstream was
    lost, so that a repeat finds it. `ordered` results are inline ones.
    """

    source: Document
    texts: list[str]
    key: str | None
    ordered: bool
    name: str = ""
    unknown: bool = False
    lost: bool = False
    cancelled: bool = False
    deleted: bool = False
    end: tuple[str, list[Document]] | None = None

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
        self.name, self.unknown, self.lost = name, False, False


def few_batches(machine: "BatchMachine") -> bool:
    """So that more is done with each."""
    return len(machine.batches) < MOST_BATCHES


class BatchMachine(ReplicaMachine):
    """`strays` are batches that there may be and whose names no client knows."""

    steps = 30

    def __init__(self) -> None:
        super().__init__()
        self.clients = [
            BatchClient(base_url, self.upstream.kind, self.replicas.http)
            for base_url in self.replicas.base_urls
        ]
        self.batches: list[Batch] = []
        self.strays = 0
        self.of_others: set[str] = set()

    @initialize()
    def start(self) -> None:
        self.run(self.replicas.reset(self.kind))

    # --- creations -------------------------------------------------------------------------------

    @rule(number=either, size=sizes, in_a_file=st.booleans(), keyed=st.booleans(), death=deaths)
    @when(few_batches)
    def create(
        self, number: int, size: int, in_a_file: bool, keyed: bool, death: int | None
    ) -> None:
        batch = self.new(size, in_a_file, keyed)
        answer = self.run(self.mortal(number, death, self.creation(number, batch)))
        if answer is None:
            self.lose(batch)
        else:
            batch.created(answer)

    @rule(size=sizes, in_a_file=st.booleans())
    @when(few_batches)
    def create_at_both_with_one_key(self, size: int, in_a_file: bool) -> None:
        batch = self.new(size, in_a_file, keyed=True)
        answers = self.run(gathered(self.creation(0, batch), self.creation(1, batch)))
        for answer in answers:
            if answer.code == 200:
                batch.created(answer)
            else:
                assert answer.code == 409 or answer.code in RETRYABLE, answer
        assert batch.name, answers

    @rule(size=sizes)
    @when(few_batches)
    def create_equal_ones_at_both(self, size: int) -> None:
        """Without a key, and with both clients there to the end, they are two batches."""
        one = self.new(size, in_a_file=False, keyed=False)
        other = Batch(one.source, one.texts, None, ordered=True)
        self.batches.append(other)
        answers = self.run(gathered(self.creation(0, one), self.creation(1, other)))
        for batch, answer in zip((one, other), answers, strict=True):
            batch.created(answer)

    @rule(size=sizes, fault=faults, death=deaths)
    @when(few_batches)
    def create_from_equally_long_files(self, size: int, fault: str, death: int | None) -> None:
        """Each gets the results of its own lines, also if the answer to an upload was lost."""
        left = [f"request {n} of {next(numbers)}" for n in range(size)]
        self.run(self.mortal(0, death, self.put_lines(0, left)))
        batches = [self.asked(size, in_a_file=True, keyed=False) for _ in range(2)]
        self.arm(self.upstream.kind.whole, fault)
        files = self.run(gathered(*(self.put_lines(n, b.texts) for n, b in enumerate(batches))))
        self.run(self.upstream.disarm())
        for batch, file in zip(batches, files, strict=True):
            batch.source = from_file(file)
            batch.created(self.run(self.creation(0, batch)))

    @rule(
        number=either,
        size=sizes,
        in_a_file=st.booleans(),
        keyed=st.booleans(),
        fault=faults,
        nth=st.sampled_from([None, None, 1, 2, 3]),
    )
    @when(few_batches)
    def create_while_the_upstream_fails(
        self, number: int, size: int, in_a_file: bool, keyed: bool, fault: str, nth: int | None
    ) -> None:
        batch = self.new(size, in_a_file, keyed)
        if nth is None:
            self.arm(self.upstream.kind.create, fault)
        else:
            self.arm({"path": "^/(?!_fake)"}, fault, nth)
        answer = self.run(self.creation(number, batch))
        self.run(self.upstream.disarm())
        if answer.code == 200:
            batch.created(answer)
        else:
            assert answer.code in RETRYABLE, answer
            self.lose(batch, lost=True)

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.some(lambda batch: batch.lost and not batch.key))
    def repeat_without_a_key(self, number: int, which: int) -> None:
        """As an SDK does by itself after 503."""
        batch = self.pick(which, lambda batch: batch.lost and not batch.key)
        answer = self.run(self.creation(number, batch))
        if answer.code == 200:
            batch.created(answer)
            if self.kind in FINDS_LOST_ONES:
                self.strays -= 1
        else:
            assert answer.error == (409, "ABORTED")
            assert self.kind not in FINDS_LOST_ONES

    @rule(number=either, which=any_of_them, death=deaths)
    @when(lambda self: self.some(lambda batch: batch.key and not batch.deleted))
    def repeat_with_its_key(self, number: int, which: int, death: int | None) -> None:
        batch = self.pick(which, lambda batch: batch.key and not batch.deleted)
        unknown = batch.unknown
        answer = self.run(self.mortal(number, death, self.creation(number, batch)))
        if answer is None:
            return
        if answer.code == 200:
            batch.created(answer)
            self.strays -= unknown
        else:  # it cannot be found at this provider
            assert unknown, answer
            assert answer.error == (409, "ABORTED")

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.some(lambda batch: batch.key and batch.known))
    def use_its_key_for_another(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.key and batch.known)
        other = inline({"request": asking("another")})
        answer = self.run(self.clients[number].create(other, headers=batch.headers))
        assert answer.error == (409, "ALREADY_EXISTS")

    @rule(number=either, which=any_of_them)
    @when(
        lambda self: (
            self.upstream.kind.key_pairs is None
            and self.some(lambda batch: batch.key and batch.ordered)
        )
    )
    def use_its_key_as_another_tenant(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.key and batch.ordered)
        headers = {**batch.headers, "x-goog-api-key": self.upstream.kind.other_key}
        answer = self.run(self.clients[number].create(batch.source, headers=headers))
        self.of_others.add(answer.ok["name"])

    # --- what is done with a batch ---------------------------------------------------------------

    @rule(number=either)
    @when(lambda self: self.of_others)
    def use_one_of_another_tenant(self, number: int) -> None:
        client = self.clients[number]
        for name in self.of_others:
            for call in (client.get(name), client.cancel(name), client.delete(name)):
                assert self.run(call).code in (403, 404)

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.some(lambda batch: batch.known))
    def get(self, number: int, which: int) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        document = self.run(self.clients[number].get(batch.name)).ok
        if self.kind != "gemini":  # Google counts the lines of a file later
            stats = document["metadata"]["batchStats"]
            assert stats["requestCount"] == str(len(batch.texts)), document

    @rule(number=either, which=any_of_them, death=deaths)
    @when(lambda self: self.some(lambda batch: batch.known))
    def cancel(self, number: int, which: int, death: int | None) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        calling = self.clients[number].cancel(batch.name)
        answer = self.run(self.mortal(number, death, calling))
        if answer is None or answer.code == 200:
            assert answer is None or batch.end is None
            batch.cancelled |= batch.end is None
        else:
            assert answer.error == (400, "FAILED_PRECONDITION")

    @rule(number=either, which=any_of_them, death=deaths)
    @when(lambda self: self.some(lambda batch: batch.known))
    def delete(self, number: int, which: int, death: int | None) -> None:
        batch = self.pick(which, lambda batch: batch.known)
        calling = self.clients[number].delete(batch.name)
        answer = self.run(self.mortal(number, death, calling))
        if answer is None:
            self.batches.remove(batch)
            self.strays += 1
        elif answer.code == 200:
            batch.deleted = True
        else:
            assert answer.error == (400, "FAILED_PRECONDITION")

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.kind != "gemini" and self.some(lambda b: b.known and not b.ordered))
    def delete_its_input(self, number: int, which: int) -> None:
        """Nothing is read from it after the creation."""
        batch = self.pick(which, lambda batch: batch.known and not batch.ordered)
        call = self.clients[number].call("DELETE", f"v1beta/{batch.source['fileName']}")
        assert self.run(call).code in (200, 404)

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.some(lambda batch: batch.deleted))
    def use_a_deleted_one(self, number: int, which: int) -> None:
        name = self.pick(which, lambda batch: batch.deleted).name
        client = self.clients[number]
        for call in (client.get(name), client.cancel(name), client.delete(name)):
            assert self.run(call).error == (404, "NOT_FOUND")

    @rule(number=either, which=any_of_them)
    @when(lambda self: self.some(lambda batch: batch.known))
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

    def some(self, chosen: Callable[[Batch], object]) -> bool:
        return any(map(chosen, self.batches))

    def pick(self, which: int, chosen: Callable[[Batch], object]) -> Batch:
        found = [batch for batch in self.batches if chosen(batch)]
        return found[which % len(found)]

    def asked(self, size: int, in_a_file: bool, keyed: bool) -> Batch:
        """A batch without its input file."""
        number = next(numbers)
        texts = [f"request {n} of {number}" for n in range(size)]
        source = inline(*({"request": asking(text)} for text in texts))
        key = f"the key of {number}" if keyed else None
        self.batches.append(Batch(source, texts, key, ordered=not in_a_file))
        return self.batches[-1]

    def new(self, size: int, in_a_file: bool, keyed: bool) -> Batch:
        batch = self.asked(size, in_a_file, keyed)
        if in_a_file:
            batch.source = from_file(self.run(self.put_lines(0, batch.texts)))
        return batch

    def lose(self, batch: Batch, lost: bool = False) -> None:
        batch.unknown, batch.lost = True, lost
        self.strays += 1

    async def put_lines(self, number: int, texts: list[str]) -> str:
        """The name of an uploaded file; an upload that fails is repeated."""
        lines = [gemini_line(f"key-{n}", text) for n, text in enumerate(texts)]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        client = self.clients[number]
        answer = await client.call("POST", "upload/v1beta/files", content, JSON_LINES)
        for _ in range(ATTEMPTS):
            if answer.code in RETRYABLE:
                answer = await client.call("POST", "upload/v1beta/files", content, JSON_LINES)
        return str(answer.ok["file"]["name"])

    async def creation(self, number: int, batch: Batch) -> Answer:
        return await self.clients[number].create(batch.source, headers=batch.headers)

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
        if batch.end is not None:
            assert batch.end == (state, results), "an ended batch has changed"
        batch.end = state, results

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
        deleted = {batch.name for batch in self.batches if batch.deleted}
        assert len(set(names)) == len(names)
        assert known <= set(names)
        assert not (deleted | self.of_others) & set(names)
        assert len(names) <= len(known) + self.strays, (names, known)
