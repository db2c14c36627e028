"""One user of one provider: uploads, batches, downloads and cancels, in an order by chance.

A user repeats what fails, as an SDK does, and keeps a record of what was acknowledged.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from aiohttp import ClientError

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import Answer as UploadAnswer
from tests.end_to_end.upload_client import UploadClient
from tests.test_faults.replicas import Replicas

GRANULE: Final = 8 << 20
SIZES: Final = (1, 1000, 100_000, 1 << 20, GRANULE, GRANULE + 1, 2 * GRANULE + 1000)
DATA: Final = pattern_bytes(max(SIZES))
RETRYABLE: Final = (408, 429, 503, 504)
ATTEMPTS: Final = 60
PAUSE_SECONDS: Final = 0.5
"""Between attempts: together they are longer than a replica needs to start on a busy machine."""

T = TypeVar("T")


class NotNow(Exception):
    """An answer after which the call may be repeated."""


@dataclass
class Kept:
    """What was acknowledged. `files` are sizes by name; `texts` are the requests of a batch."""

    files: dict[str, int] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    in_files: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    calls: int = 0


class User:
    def __init__(self, kind: str, number: int, replicas: Replicas, random: Random) -> None:
        self.kept = Kept()
        self.kind = kind
        self._id = f"{kind}-{number}"
        self._replicas = replicas
        self._random = random
        fake = replicas.fakes[kind]
        http = replicas.http
        self._uploads = [UploadClient(url, fake.kind, http) for url in replicas.base_urls]
        self._batches = [BatchClient(url, fake.kind, http) for url in replicas.base_urls]

    async def work(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            step: Callable[[], Awaitable[None]] = self._random.choices(
                [self._upload, self._batch, self._cancel, self._delete, self._look],
                weights=[4, 4, 1, 2, 4],
            )[0]
            await step()
            self.kept.calls += 1

    # --- work ------------------------------------------------------------------------------------

    async def _upload(self) -> None:
        size = self._random.choice(SIZES)
        known = self._random.choice([size, None])
        url = await self._insist(lambda n: self._start(n, known))
        offset = 0
        while size - offset > GRANULE:
            chunk = DATA[offset : offset + GRANULE]
            await self._insist(partial(self._send, url=url, offset=offset, data=chunk, last=False))
            offset += GRANULE
        rest = DATA[offset:size]
        answer = await self._insist(
            partial(self._send, url=url, offset=offset, data=rest, last=True)
        )
        self.kept.files[answer.file["name"]] = size

    async def _start(self, number: int, size: int | None) -> str:
        answer = await self._uploads[number].start(size)
        if answer.code in RETRYABLE:
            raise NotNow
        assert answer.upload_status == "active", answer
        return answer.headers["X-Goog-Upload-URL"]

    async def _put_lines(self, number: int, lines: list[Document]) -> str:
        content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        headers = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "application/jsonl"}
        client = self._batches[number]
        made = _usable(await client.call("POST", "upload/v1beta/files", content, headers))
        return str(made["file"]["name"])

    async def _send(
        self, number: int, url: str, offset: int, data: bytes, last: bool
    ) -> UploadAnswer:
        client = self._uploads[number]
        at = f"{client.base_url}/upload/v1beta/files?{urlsplit(url).query}"
        answer = await client.send(at, offset, data, finalize=last)
        if answer.code in RETRYABLE:
            raise NotNow
        assert answer.code == 200, answer
        return answer

    async def _batch(self) -> None:
        number = self.kept.calls
        texts = [f"{self._id} {number} {n}" for n in range(self._random.choice([1, 3, 20]))]
        in_a_file = self._random.random() < 0.5
        source = inline(*({"request": asking(text)} for text in texts))
        if in_a_file:
            lines = [gemini_line(f"key-{n}", text) for n, text in enumerate(texts)]
            source = from_file(await self._insist(lambda n: self._put_lines(n, lines)))
        key = {"x-ferry-idempotency-key": f"{self._id} {number}"}

        async def create(at: int) -> Any:
            answer = await self._batches[at].create(source, headers=key)
            if answer.code == 409:
                return None  # Anthropic cannot show the outcome of an earlier attempt
            return _usable(answer)

        made = await self._insist(create)
        if made is not None:
            name = made["name"]
            self.kept.texts[name] = texts
            if in_a_file:
                self.kept.in_files.add(name)

    async def _cancel(self) -> None:
        if not self.kept.texts:
            return
        name = self._random.choice(list(self.kept.texts))
        self.kept.cancelled.add(name)
        await self._insist(lambda n: self._tried(self._batches[n].cancel(name), 400))

    async def _delete(self) -> None:
        if len(self.kept.files) < 5:
            return
        name = self._random.choice(list(self.kept.files))
        del self.kept.files[name]
        # An earlier attempt may have deleted it, and its answer was lost; Google then answers 403.
        gone = (403, 404)
        await self._insist(lambda n: self._tried(self._batches[n].call("DELETE", _v(name)), *gone))

    async def _look(self) -> None:
        path = self._random.choice(["files", "batches?pageSize=2"])
        await self._insist(lambda n: self._tried(self._batches[n].call("GET", _v(path))))
        if self.kept.texts:
            name = self._random.choice(list(self.kept.texts))
            await self._insist(lambda n: self._tried(self._batches[n].get(name)))

    async def _tried(self, call: Awaitable[Any], *allowed: int) -> None:
        answer = await call
        if answer.code not in allowed:
            _usable(answer)

    async def _insist(self, attempt: Callable[[int], Awaitable[T]]) -> T:
        """The result of `attempt` at either replica, repeated while it may be."""
        for _ in range(ATTEMPTS):
            try:
                return await attempt(self._random.randrange(2))
            except (ClientError, TimeoutError, NotNow):
                await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{self._id}: not possible in {ATTEMPTS} attempts")

    # --- at the end ------------------------------------------------------------------------------

    async def check(self) -> None:
        """Every file has its content, and every request of every batch exactly one result."""
        fake = self._replicas.fakes[self.kind]
        listed = Counter(await self._listed())
        assert all(listed[name] == 1 for name in self.kept.files), (listed, self.kept.files)
        for name, size in self.kept.files.items():
            found = (await self._batches[0].call("GET", _v(name))).ok
            assert int(found["sizeBytes"]) == size, found
            assert await fake.sha256(name) == hashlib.sha256(DATA[:size]).hexdigest()
        for name, texts in self.kept.texts.items():
            await self._check_batch(name, texts)

    async def _listed(self) -> list[str]:
        names: list[str] = []
        token = ""
        while True:
            path = _v(f"files?pageSize=100&pageToken={token}")
            page = (await self._batches[1].call("GET", path)).ok
            names += [file["name"] for file in page.get("files", [])]
            token = page.get("nextPageToken", "")
            if not token:
                return names

    async def _check_batch(self, name: str, texts: list[str]) -> None:
        client = self._batches[1]
        batch = await client.ended(name)
        if batch["metadata"]["state"] != "BATCH_STATE_SUCCEEDED":
            assert name in self.kept.cancelled, batch
            if self.kind == "gemini":
                return  # what it then has is Google's own affair
        results = await client.results(batch)
        if name in self.kept.in_files:
            keyed = by_key(results)
            results = [keyed[f"key-{n}"] for n in range(len(keyed))]
        assert len(results) == len(texts), (name, results)
        for text, result in zip(texts, results, strict=True):
            if "error" not in result:
                assert text_of(result) == f"echo: {text}", (name, text, result, batch)
            else:
                assert name in self.kept.cancelled, result


def _v(path: str) -> str:
    return f"v1beta/{path}"


def _usable(answer: Any) -> Any:
    if answer.code in RETRYABLE:
        raise NotNow
    return answer.ok
