"""Any order of commands, faults and kills: a finished file is what was sent, or there is none."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import Answer, UploadClient
from tests.test_faults.replica_machine import MOST_KILLS, ReplicaMachine, either

GRANULE = 8 << 20
LARGEST = 3 * GRANULE + 1000
DATA = pattern_bytes(LARGEST)

sizes = st.sampled_from([1, 1000, GRANULE, GRANULE + 1, 2 * GRANULE, LARGEST])
granules = st.integers(1, 2)


class UploadMachine(ReplicaMachine):
    """`sent_to` bytes were sent from the start, and at least `active_to` of them are stored."""

    def __init__(self) -> None:
        super().__init__()
        self.clients = [
            UploadClient(base_url, self.upstream.kind, self.replicas.http)
            for base_url in self.replicas.base_urls
        ]
        self.url = ""
        self.size = 0
        self.known = False
        self.active_to = 0
        self.sent_to = 0
        self.cancelled = False
        self.file: dict[str, Any] | None = None

    @initialize(size=sizes, known=st.booleans(), number=either)
    def start(self, size: int, known: bool, number: int) -> None:
        self.run(self.upstream.reset())
        self.size, self.known = size, known
        self.url = self.run(self.client(number).begin(size if known else None))

    @property
    def open(self) -> bool:
        return not self.cancelled and self.file is None

    @property
    def chunks_left(self) -> int:
        """How many whole granules can be sent before the last chunk."""
        return (self.size - self.active_to - 1) // GRANULE

    # --- commands of a client that keeps to the protocol -----------------------------------------

    @precondition(lambda self: self.open and self.chunks_left)
    @rule(number=either, count=granules)
    def send_a_chunk(self, number: int, count: int) -> None:
        self.judge(self.run(self.chunk(number, count)))

    @precondition(lambda self: self.open and self.active_to)
    @rule(number=either)
    def repeat_a_chunk(self, number: int) -> None:
        data = DATA[: self.active_to]
        answer = self.run(self.client(number).send(self.at(number), 0, data))
        assert answer.code in (200, 503), answer

    @precondition(lambda self: self.open)
    @rule(number=either)
    def query(self, number: int) -> None:
        answer = self.run(self.client(number).command(self.at(number), "query"))
        assert (answer.code, answer.upload_status) == (200, "active"), answer
        stored = int(answer.headers["X-Goog-Upload-Size-Received"])
        assert self.active_to <= stored <= self.sent_to
        self.active_to = stored

    @precondition(lambda self: self.open and not self.chunks_left)
    @rule(number=either)
    def send_the_rest(self, number: int) -> None:
        answer = self.run(self.finalize(number))
        if answer.code == 503:
            assert answer.upload_status is None, answer
        else:
            self.file = answer.file

    @precondition(lambda self: self.open and not self.chunks_left)
    @rule()
    def send_the_rest_to_both(self) -> None:
        answers = self.run(gathered(self.finalize(0), self.finalize(1)))
        assert all(answer.code in (200, 503) for answer in answers), answers
        files = [answer.file for answer in answers if answer.code == 200]
        if files:
            assert len({file["name"] for file in files}) == 1
            self.file = files[0]

    @precondition(lambda self: self.file is not None)
    @rule(number=either)
    def query_a_finished_upload(self, number: int) -> None:
        answer = self.run(self.client(number).command(self.at(number), "query"))
        assert self.file
        assert answer.file["name"] == self.file["name"]

    @precondition(lambda self: self.open)
    @rule(number=either)
    def cancel(self, number: int) -> None:
        answer = self.run(self.client(number).command(self.at(number), "cancel"))
        assert (answer.code, answer.upload_status) == (200, "cancelled"), answer
        self.cancelled = True

    # --- wrong use -------------------------------------------------------------------------------

    @precondition(lambda self: self.open)
    @rule(number=either, gap=st.sampled_from([1, GRANULE]))
    def send_at_a_wrong_offset(self, number: int, gap: int) -> None:
        send = self.client(number).send(self.at(number), self.sent_to + gap, DATA[:GRANULE])
        assert self.run(send).code == 400

    @precondition(lambda self: not self.open)
    @rule(number=either)
    def send_after_the_end(self, number: int) -> None:
        answer = self.run(self.client(number).send(self.at(number), 0, DATA[:GRANULE]))
        assert answer.code in (400, 404), answer

    # --- faults ----------------------------------------------------------------------------------

    @precondition(lambda self: self.open and self.chunks_left)
    @rule(number=either, share=st.sampled_from([2, 4]))
    def leave_during_a_chunk(self, number: int, share: int) -> None:
        self.run(self.send_a_part_of_a_chunk(number, GRANULE // share))

    @precondition(lambda self: self.open and self.chunks_left and self.kills < MOST_KILLS)
    @rule(number=either, share=st.sampled_from([2, 4]))
    def kill_during_a_chunk(self, number: int, share: int) -> None:
        self.kills += 1
        killed = self.replicas.kill(number)
        self.run(self.send_a_part_of_a_chunk(number, GRANULE // share, killed))

    @precondition(lambda self: self.open and self.chunks_left)
    @rule()
    def send_a_chunk_to_both(self) -> None:
        for answer in self.run(gathered(self.chunk(0, 1), self.chunk(1, 1))):
            assert answer.code in (200, 503), answer

    @precondition(lambda self: self.open and self.upstream.kind.part)
    @rule(fault=st.sampled_from(["reset", "status", "lose_answer"]))
    def the_upstream_fails_once(self, fault: str) -> None:
        options = {"status": 503} if fault == "status" else {}
        self.run(self.upstream.arm(self.upstream.kind.part, fault, **options))

    # --- the end ---------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not self.url:
            return
        if self.open:
            self.file = self.run(self.insist())
        if self.cancelled:
            assert self.run(self.upstream.objects())["files"] == []
        else:
            assert self.file is not None
            check = self.upstream.check_only_file(self.file, DATA[: self.size])
            self.run(check)

    async def insist(self) -> dict[str, Any]:
        """As an SDK does that repeats what was not acknowledged; a fault strikes only once."""
        while self.chunks_left:
            answer = await self.chunk(0, 1)
            assert answer.code in (200, 503), answer
            if answer.code == 200:
                self.active_to += GRANULE
        answer = await self.finalize(0)
        while answer.code == 503:
            answer = await self.finalize(0)
        return answer.file

    # --- what the rules are made of --------------------------------------------------------------

    def client(self, number: int) -> UploadClient:
        return self.clients[number]

    def at(self, number: int) -> str:
        """The upload URL at that replica."""
        query = urlsplit(self.url).query
        return f"{self.client(number).base_url}/upload/v1beta/files?{query}"

    async def chunk(self, number: int, count: int) -> Answer:
        end = self.active_to + min(count, self.chunks_left) * GRANULE
        self.sent_to = max(self.sent_to, end)
        data = DATA[self.active_to : end]
        return await self.client(number).send(self.at(number), self.active_to, data)

    def judge(self, answer: Answer) -> None:
        if answer.code == 503:
            assert answer.upload_status is None, answer
            return
        assert (answer.code, answer.upload_status) == (200, "active"), answer
        self.active_to = self.sent_to

    async def finalize(self, number: int) -> Answer:
        self.sent_to = self.size
        data = DATA[self.active_to : self.size]
        client = self.client(number)
        return await client.send(self.at(number), self.active_to, data, finalize=True)

    async def send_a_part_of_a_chunk(
        self, number: int, length: int, before_leaving: Awaitable[None] | None = None
    ) -> None:
        self.sent_to = max(self.sent_to, self.active_to + GRANULE)
        parts = urlsplit(self.at(number))
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = (
            f"POST {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Length: {GRANULE}\r\nX-Goog-Upload-Command: upload\r\n"
            f"X-Goog-Upload-Offset: {self.active_to}\r\n\r\n"
        )
        writer.write(head.encode() + DATA[self.active_to : self.active_to + length])
        await writer.drain()
        if before_leaving is not None:
            await before_leaving
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def gathered(*sent: Coroutine[Any, Any, Answer]) -> list[Answer]:
    return list(await asyncio.gather(*sent))
