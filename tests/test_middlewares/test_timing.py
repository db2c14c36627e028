"""The deadline of each operation, and what a client gets when it passes."""

import asyncio
from math import inf
from typing import Any, cast

import pytest

from middlewares import operations as op
from middlewares.operations import Timing
from providers.body import Body
from providers.deadlines import CALL_LIMITS, CallLimits, TimeLimits, Wait
from providers.resources import Download
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = {"x-goog-api-key": "a"}
LIMITS = TimeLimits(stall=6, call=7, answer=80)

SHORT = {
    op.StartUpload,
    op.QueryUpload,
    op.CancelUpload,
    op.ListFiles,
    op.GetFile,
    op.DeleteFile,
    op.ListBatches,
    op.GetBatch,
    op.CancelBatch,
    op.DeleteBatch,
    op.ListModels,
    op.GetModel,
}
LONGER = {
    op.SendChunk: Timing.SENDING,
    op.CreateFile: Timing.SENDING,
    op.CreateBatch: Timing.ANSWERED,
    op.Generate: Timing.ANSWERED,
    op.Stream: Timing.ANSWERED,
    op.CountTokens: Timing.ANSWERED,
    op.Embed: Timing.ANSWERED,
    op.DownloadFile: Timing.MOVING,
    op.Relayed: Timing.RELAYED,
}
"""As the contract's table of settings says."""


def operations() -> set[type[Any]]:
    found = {each for each in vars(op).values() if isinstance(each, type)}
    return {each for each in found if hasattr(each, "carry_out") and each is not op.Operation}


def test_every_operation_has_the_deadline_of_the_contract() -> None:
    given = {each: each.timing for each in operations() if each is not op.Relayed}
    given[op.Relayed] = op.Relayed(cast(Any, None)).timing
    assert given == dict.fromkeys(SHORT, Timing.SHORT) | LONGER


class _Hanging:
    """Every method hangs; it notices that it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()

    async def list(self, *_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


async def test_a_short_call_that_takes_too_long_is_cancelled() -> None:
    hanging = _Hanging()
    provider = scripted_provider("p", files=cast(Scripted, hanging))
    limits = TimeLimits(stall=60, call=0.05, answer=600)
    async with running_chain(provider, time_limits=limits) as client:
        async with client.get("/genai/v1beta/files", headers=KEY) as reply:
            error = (await reply.json())["error"]
    assert (reply.status, error["code"], error["status"]) == (504, 504, "DEADLINE_EXCEEDED")
    assert error["message"] == "the call took longer than 0.05 seconds (FERRY_CALL_SECONDS)"
    assert hanging.cancelled.is_set()


async def limits_of(path: str, **headers: str) -> CallLimits | None:
    """Those that hold at a provider while it answers a GET of `path`."""
    seen: list[CallLimits | None] = []

    def answer(*_: object) -> object:
        seen.append(CALL_LIMITS.get())
        if path.endswith(":download"):
            return Download(Body(late(), None), "text/plain", ScriptedReply().aclose)
        return ScriptedReply()

    async def late() -> Any:
        seen.append(CALL_LIMITS.get())
        yield b"x"

    capability = "files" if path.endswith(":download") else "relay"
    provider = scripted_provider("p", key_forms=(), **{capability: Scripted(answer)})
    async with running_chain(provider, time_limits=LIMITS) as client:
        async with client.get(f"/genai/v1beta/{path}", headers=KEY | headers) as reply:
            assert reply.status == 200, await reply.text()
            await reply.read()
    assert len(set(seen)) == 1
    return seen[0]


async def test_a_body_that_is_read_later_has_the_same_limits() -> None:
    assert await limits_of("files/f:download") == LIMITS.moving_call()


async def test_the_header_of_sdks_limits_the_wait_for_an_answer() -> None:
    assert await limits_of("models") == LIMITS.relayed_call(inf)
    limits = await limits_of("models", **{"X-Server-Timeout": "5"})
    assert limits is not None
    assert limits.wait_for("GET", None) == Wait(5, "X-Server-Timeout")


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "1e3", "inf", "ten", "1" * 20])
async def test_an_impossible_server_timeout_is_refused(value: str) -> None:
    provider = scripted_provider("p", relay=Scripted(lambda *_: ScriptedReply()))
    async with running_chain(provider) as client:
        headers = KEY | {"X-Server-Timeout": value}
        async with client.get("/genai/v1beta/models", headers=headers) as reply:
            assert reply.status == 400
            assert "X-Server-Timeout" in (await reply.json())["error"]["message"]


async def test_the_clients_time_is_for_the_whole_call() -> None:
    hanging = _Hanging()
    provider = scripted_provider("p", files=cast(Scripted, hanging))
    async with running_chain(provider) as client:
        headers = KEY | {"X-Server-Timeout": "0.05"}
        async with client.get("/genai/v1beta/files", headers=headers) as reply:
            error = (await reply.json())["error"]
    assert (error["code"], error["status"]) == (504, "DEADLINE_EXCEEDED")
    assert error["message"] == "the call took longer than 0.05 seconds (X-Server-Timeout)"
    assert hanging.cancelled.is_set()
