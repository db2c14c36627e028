"""Any order of commands, faults and deaths: a finished file is what was sent, or there is none."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.end_to_end.batch_client import BatchClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import Answer, UploadClient
from tests.test_faults.replica_machine import ReplicaMachine, deaths, either, faults, gathered, when

GRANULES = 3
ATTEMPTS = 10
"""A fault strikes once, and then the client repeats its command."""

offsets = st.sampled_from(["low", "low", "low - 1", "low + 1", "low - G", "low + G", "0", "end"])
lengths = st.sampled_from(["0", "1", "G - 1", "G", "G", "2 * G", "G + 1", "rest", "rest - 1"])


@dataclass(frozen=True)
class Start:
    """A size of some granules and `more` bytes, which the client says at the start if `known`."""

    granules: int
    more: int
    known: bool
    mime_type: str


starts = st.builds(
    Start,
    granules=st.integers(0, GRANULES),
    more=st.sampled_from([-1, 0, 1, 1000]),
    known=st.booleans(),
    mime_type=st.sampled_from(["image/png", "application/jsonl"]),
)


class UploadMachine(ReplicaMachine):
    """At least `low` and at most `high` bytes from the start of `data` are stored.

    `may_end` is the size of the file of a finalize without an answer.
    """

    steps = 60

    def __init__(self) -> None:
        super().__init__()
        self.granule = self.replicas.granule
        self.data = pattern_bytes((GRANULES + 1) * self.granule)
        self.clients = [
            UploadClient(base_url, self.upstream.kind, self.replicas.http)
            for base_url in self.replicas.base_urls
        ]
        self.url = ""

    @initialize(start=starts, number=either)
    def start(self, start: Start, number: int) -> None:
        self.run(self.replicas.reset(self.kind))
        size = max(start.granules * self.granule + start.more, 1)
        self.size, self.known = size, start.known
        self.low = self.high = 0
        self.armed = self.disturbed = self.cancelled = self.may_be_cancelled = False
        self.may_end: int | None = None
        self.file: dict[str, Any] | None = None
        begun = self.clients[number].begin(size if start.known else None, mime_type=start.mime_type)
        self.url = self.run(begun)

    @rule(start=starts, number=either)
    @when(lambda self: not self.open)
    def start_another(self, start: Start, number: int) -> None:
        self.run(self.check_files())
        self.start(start, number)

    @property
    def open(self) -> bool:
        return not self.cancelled and self.file is None

    @property
    def certain(self) -> bool:
        """No command that ends the upload is without an answer."""
        return self.open and self.may_end is None and not self.may_be_cancelled

    @property
    def may_finish(self) -> bool:
        """Without an answer to the last chunk, a client repeats only that."""
        last = self.may_end is not None or not self.chunks_left
        return self.open and not self.may_be_cancelled and last

    @property
    def chunks_left(self) -> int:
        """How many whole granules can be sent before the last chunk."""
        return max(self.size - self.low - 1, 0) // self.granule

    # --- commands --------------------------------------------------------------------------------

    @rule(number=either, count=st.integers(1, 2), death=deaths)
    @when(lambda self: self.certain and self.chunks_left)
    def send_chunks(self, number: int, count: int, death: int | None) -> None:
        self.send(number, self.low, self.next_end(count), death=death)

    @rule(
        number=either,
        at=offsets,
        length=lengths,
        finalize=st.booleans(),
        other=st.booleans(),
        death=deaths,
    )
    @when(lambda self: self.certain)
    def send_anything(
        self, number: int, at: str, length: str, finalize: bool, other: bool, death: int | None
    ) -> None:
        """At the boundaries of what is allowed; `other` bytes only where some are stored.

        A whole file in one request replaces what was stored. No client ends a file within bytes
        that may be stored.
        """
        known: dict[str, int] = {"low": self.low, "G": self.granule, "end": self.size}
        start = eval(at, known)  # noqa: S307 - one of `offsets`
        end = start + eval(length, {**known, "rest": self.size - start})  # noqa: S307
        within = finalize and self.low <= end < self.high
        if 0 <= start <= end <= len(self.data) and not within:
            other = other and not (finalize and start == 0)
            self.send(number, start, end, finalize=finalize, other=other, death=death)

    @rule(number=either, death=deaths)
    @when(lambda self: self.may_finish)
    def send_the_rest(self, number: int, death: int | None) -> None:
        self.send(number, self.low, self.size, finalize=True, death=death)

    @rule(number=either)
    @when(lambda self: self.open)
    def query(self, number: int) -> None:
        answer = self.run(self.clients[number].command(self.at(number), "query"))
        if answer.code == 503 and self.disturbed:
            return
        if answer.code == 200 and answer.upload_status == "final":
            assert self.may_end is not None
            self.file = answer.file
            return
        if 400 <= answer.code < 500:
            assert self.may_be_cancelled
            self.cancelled = True
            return
        assert (answer.code, answer.upload_status) == (200, "active"), answer
        stored = int(answer.headers["X-Goog-Upload-Size-Received"])
        assert self.low <= stored <= self.high
        self.low = stored

    @rule(number=either, death=deaths)
    @when(lambda self: self.open)
    def cancel(self, number: int, death: int | None) -> None:
        command = self.clients[number].command(self.at(number), "cancel")
        answer = self.run(self.mortal(number, death, command))
        if answer is None or (answer.code == 503 and self.disturbed):
            self.may_be_cancelled = True
        elif answer.code == 200:
            assert answer.upload_status == "cancelled", answer
            self.cancelled = True
        else:  # a command without an answer has ended the upload, and a query tells how
            assert 400 <= answer.code < 500, answer
            assert not self.certain, answer

    # --- at both replicas at once ----------------------------------------------------------------
    # If an answer to one of two is lost too, a second file that no client knows may remain.

    @rule(counts=st.tuples(st.integers(1, 2), st.integers(1, 2)))
    @when(lambda self: self.certain and self.chunks_left)
    def send_chunks_to_both(self, counts: tuple[int, int]) -> None:
        self.disturbed = True
        ends = [self.next_end(count) for count in counts]
        sent = (self.sending(number, self.low, ends[number]) for number in (0, 1))
        for end, answer in zip(ends, self.run(gathered(*sent)), strict=True):
            self.high = max(self.high, end)
            if answer.code == 200:
                self.low = max(self.low, end)
            else:
                assert answer.code == 503, answer

    @rule()
    @when(lambda self: self.certain and not self.chunks_left and not self.armed)
    def send_the_rest_to_both(self) -> None:
        self.disturbed = True
        sent = (self.sending(number, self.low, self.size, finalize=True) for number in (0, 1))
        answers = self.run(gathered(*sent))
        assert all(answer.code in (200, 503) for answer in answers), answers
        self.may_end = self.high = self.size
        files = [answer.file for answer in answers if answer.code == 200]
        if files:
            assert len({file["name"] for file in files}) == 1
            self.file = files[0]

    @rule(number=either)
    @when(lambda self: self.certain and not self.chunks_left and not self.armed)
    def send_the_rest_and_cancel(self, number: int) -> None:
        """One of them wins."""
        self.disturbed = True
        finish = self.sending(number, self.low, self.size, finalize=True)
        other = self.clients[1 - number]
        finished, cancelled = self.run(
            gathered(finish, other.command(self.at(1 - number), "cancel"))
        )
        self.may_end = self.high = self.size
        if finished.code == 200:
            assert cancelled.code in (400, 503), (finished, cancelled)
            self.file = finished.file
        elif cancelled.code == 200:
            self.cancelled = True
        else:
            assert finished.code == 503, (finished, cancelled)
            assert cancelled.code in (400, 503), (finished, cancelled)
            self.may_be_cancelled = cancelled.code == 503

    # --- after the end ---------------------------------------------------------------------------

    @rule(number=either)
    @when(lambda self: not self.open)
    def query_after_the_end(self, number: int) -> None:
        answer = self.run(self.clients[number].command(self.at(number), "query"))
        if self.cancelled:
            assert 400 <= answer.code < 500, answer
        else:
            self.check_same(answer)

    @rule(number=either)
    @when(lambda self: self.file)
    def repeat_the_last_chunk(self, number: int) -> None:
        self.check_same(self.run(self.sending(number, self.low, self.size, finalize=True)))

    @rule(number=either, more=st.sampled_from([-1, 1]), finalize=st.booleans())
    @when(lambda self: not self.open)
    def send_after_the_end(self, number: int, more: int, finalize: bool) -> None:
        end = self.size + more
        answer = self.run(self.sending(number, 0, end, finalize=finalize))
        assert 400 <= answer.code < 500, answer

    @rule(number=either)
    @when(lambda self: self.file)
    def cancel_after_the_end(self, number: int) -> None:
        answer = self.run(self.clients[number].command(self.at(number), "cancel"))
        assert 400 <= answer.code < 500, answer

    # --- faults ----------------------------------------------------------------------------------

    @rule(number=either, share=st.sampled_from([2, 4]), death=deaths)
    @when(lambda self: self.certain and self.chunks_left)
    def leave_during_a_chunk(self, number: int, share: int, death: int | None) -> None:
        self.high = max(self.high, self.next_end(1))
        self.disturbed = True
        left = self.send_a_part_of_a_chunk(number, self.granule // share)
        self.run(self.mortal(number, death, left))

    @rule(which=st.sampled_from(["part", "finish", "whole"]), fault=faults)
    @when(lambda self: self.open and not self.armed)
    def the_upstream_fails_once(self, which: str, fault: str) -> None:
        match = getattr(self.upstream.kind, which)
        if match is not None:
            self.arm(match, fault)

    # --- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        if self.url:
            if self.open:
                self.insist()
            self.run(self.check_files())

    def insist(self) -> None:
        """As an SDK does that repeats what was not acknowledged; a fault strikes only once."""
        for _ in range(ATTEMPTS):
            if not self.open:
                return
            self.query(0)
            if not self.open:
                return
            if self.may_be_cancelled:
                self.cancel(1, None)
            elif self.may_finish:
                self.send(0, self.low, self.size, finalize=True)
            else:
                self.send(1, self.low, self.next_end(1))
        raise AssertionError(f"the upload did not end in {ATTEMPTS} attempts")

    async def check_files(self) -> None:
        """There is one file with the right bytes, or none; also in every list and for no other."""
        clients = [
            BatchClient(url, self.upstream.kind, self.replicas.http)
            for url in self.replicas.base_urls
        ]
        expected = [self.file["name"]] if self.file else []
        for client in clients:
            listed = (await client.call("GET", "v1beta/files")).ok.get("files", [])
            assert [file["name"] for file in listed] == expected
        if not self.file:
            return
        assert int(self.file.get("sizeBytes") or 0) == self.size
        name, content = f"v1beta/{self.file['name']}", self.data[: self.size]
        assert (await clients[0].call("GET", name)).ok["name"] == self.file["name"]
        if self.file.get("downloadUri"):
            assert (await clients[1].call("GET", f"{name}:download?alt=media")).content == content
        else:
            await self.upstream.check_only_file(self.file, content)
        if self.upstream.kind.key_pairs is None:
            other = await clients[0].call("GET", name, key=self.upstream.kind.other_key)
            assert other.code in (403, 404), other

    # --- what the rules are made of --------------------------------------------------------------

    def at(self, number: int) -> str:
        """The upload URL at that replica."""
        query = urlsplit(self.url).query
        return f"{self.clients[number].base_url}/upload/v1beta/files?{query}"

    def next_end(self, count: int) -> int:
        """`count` granules after `low`; after a part of a chunk, the first is filled up."""
        start = self.low - self.low % self.granule
        return start + min(count, max(self.chunks_left, 1)) * self.granule

    async def sending(
        self, number: int, start: int, end: int, *, finalize: bool = False, other: bool = False
    ) -> Answer:
        data = self.data[start:end]
        if other:
            stored = max(min(end, self.low) - start, 0)
            data = bytes(255 - byte for byte in data[:stored]) + data[stored:]
        return await self.clients[number].send(self.at(number), start, data, finalize=finalize)

    def send(
        self,
        number: int,
        start: int,
        end: int,
        *,
        finalize: bool = False,
        other: bool = False,
        death: int | None = None,
    ) -> None:
        sending = self.sending(number, start, end, finalize=finalize, other=other)
        answer = self.run(self.mortal(number, death, sending))
        wrong = self.is_wrong(start, end, finalize=finalize)
        if answer is not None and answer.code == 200:
            assert not wrong, answer
        elif answer is not None and answer.code != 503:
            assert 400 <= answer.code < 500, answer
            assert not self.is_right(start, end, finalize=finalize), answer
            return
        else:
            assert answer is None or self.disturbed, answer
            if wrong:
                return
        self.high = max(self.high, end)
        self.size = max(self.size, end)
        if finalize:
            self.may_end = self.size = end
        if answer is None or answer.code != 200:
            return
        if finalize:
            self.file, self.size = answer.file, end
        else:
            assert answer.upload_status == "active", answer
            self.low = max(self.low, end)

    def is_wrong(self, start: int, end: int, *, finalize: bool) -> bool:
        """Whether the protocol forbids it in every state that the upload may have."""
        if self.may_end is not None:
            return not finalize or end != self.may_end
        whole = finalize or end % self.granule == 0 or end <= self.low
        fits = not self.known or end == self.size or (end < self.size and not finalize)
        return not whole or not fits or start > self.high or (finalize and end < self.low)

    def is_right(self, start: int, end: int, *, finalize: bool) -> bool:
        """Whether a client that repeats what was not acknowledged may send it."""
        aligned = start == self.low or (start < self.low and start % self.granule == 0)
        wrong = self.is_wrong(start, end, finalize=finalize)
        known = self.low == self.high or self.may_end is not None
        return aligned and start < end and end >= self.low and known and not wrong

    def check_same(self, answer: Answer) -> None:
        assert self.file
        assert answer.file["name"] == self.file["name"]

    async def send_a_part_of_a_chunk(self, number: int, length: int) -> None:
        parts = urlsplit(self.at(number))
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = (
            f"POST {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Length: {self.next_end(1) - self.low}\r\nX-Goog-Upload-Command: upload\r\n"
            f"X-Goog-Upload-Offset: {self.low}\r\n\r\n"
        )
        with suppress(ConnectionError):
            writer.write(head.encode() + self.data[self.low : self.low + length])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
