"""A creation whose client disconnects, and one that Google refuses, if tenants share a key."""

import asyncio
from typing import Any

import orjson
import pytest
from yarl import URL

from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.gemini.buffered_reply import BufferedReply
from providers.gemini.isolated_relay import IsolatedRelay
from providers.gemini.provider import NAMES
from providers.memory import BUDGET_BYTES, MemoryBudget
from providers.provider import RelayedRequest
from providers.tenancy.ownership import Ownership, owned_batch, owned_native_file
from providers.tenancy.references import References
from tests.memory_state import MemoryState

ANN = Caller(Credential(api_key="own"), "ann")
MADE = {"name": "batches/b", "metadata": {}}


def creation() -> RelayedRequest:
    return RelayedRequest(
        "POST",
        URL("/v1beta/models/gemini-2.5-flash:batchGenerateContent"),
        {"Content-Type": "application/json"},
        in_memory(b'{"batch": {"inputConfig": {"requests": {"requests": []}}}}'),
    )


class Answering:
    """Answers once `answer` is set; `closed` says whether the reply was closed."""

    def __init__(self, status: int, document: Any) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self.reply = ClosingReply(status, {"X-Said": "this"}, orjson.dumps(document))

    async def relay(self, *_: Any) -> BufferedReply:
        self.asked.set()
        await self.answer.wait()
        return self.reply


class ClosingReply(BufferedReply):
    closed = False

    async def __aexit__(self, *_: object) -> None:
        self.closed = True


class RelayWithGoogle:
    def __init__(self, status: int, document: Any) -> None:
        self.google, self.memory = Answering(status, document), MemoryBudget()
        self.ownership = Ownership("gemini", MemoryState())
        references = References(NAMES, owned_native_file)
        self.relay = IsolatedRelay(
            "gemini", self.google, self.ownership, references, self.memory, 1 << 20
        )


async def test_a_batch_belongs_to_its_client_even_if_that_disconnected() -> None:
    with_google = RelayWithGoogle(200, MADE)
    creating = asyncio.create_task(with_google.relay.relay(ANN, creation()))
    await with_google.google.asked.wait()
    creating.cancel()
    with_google.google.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert await with_google.ownership.owns("ann", owned_batch("b"))
    assert with_google.google.reply.closed
    with_google.memory.take(BUDGET_BYTES)  # all of it was given back


async def test_a_refusal_is_passed_on_unchanged() -> None:
    refusal = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "later"}}
    with_google = RelayWithGoogle(429, refusal)
    with_google.google.answer.set()
    reply = await with_google.relay.relay(ANN, creation())
    assert (reply.status, reply.headers["X-Said"]) == (429, "this")
    assert orjson.loads(await reply.read(1 << 10)) == refusal
    assert with_google.google.reply.closed
