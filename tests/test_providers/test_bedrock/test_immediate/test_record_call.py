import asyncio
from collections.abc import Sequence

import orjson
import pytest

from providers.bedrock.immediate.record_call import (
    TRIES,
    CredentialRefused,
    TriedCall,
    outcome_unknown,
)
from providers.errors import FerryError
from providers.upstream import UpstreamError
from tests.test_providers.test_bedrock.test_immediate.stage import Answer, refusal

OUTPUT = {"recordId": "r1", "modelOutput": {"ok": True}}
# RPC status and Bedrock's own HTTP status (bedrock.md section 2): what is answered at once.
LASTING = [
    ("INVALID_ARGUMENT", 400, 400),
    ("PERMISSION_DENIED", 403, 403),
    ("NOT_FOUND", 404, 404),
    ("ABORTED", 400, 400),
    ("UNIMPLEMENTED", None, 501),
]
PASSING = [
    refusal("RESOURCE_EXHAUSTED", 429),
    refusal("UNAVAILABLE", 500),
    refusal("INTERNAL", 500),
    refusal("DEADLINE_EXCEEDED", 504),
    UpstreamError("UNAVAILABLE", "refused to connect", unsent=True),
]


class Sender:
    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.pauses: list[float] = []
        self.sent = 0

    async def send(self) -> bytes:
        self.sent += 1
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def call(self) -> TriedCall:
        return TriedCall(self.send, self.pause)


async def test_an_answer_is_the_records_output() -> None:
    sender = Sender([b'{"ok":true}'])
    call = sender.call()
    assert orjson.loads(await call.line("r1")) == OUTPUT
    assert not call.undone


@pytest.mark.parametrize(("status", "http", "code"), LASTING)
async def test_a_lasting_refusal_is_the_records_error(
    status: str, http: int | None, code: int
) -> None:
    sender = Sender([refusal(status, http)])
    call = sender.call()
    assert orjson.loads(await call.line("r1")) == {
        "recordId": "r1",
        "error": {"errorCode": code, "errorMessage": "bedrock: no"},
    }
    assert (sender.sent, sender.pauses, call.undone) == (1, [], False)


@pytest.mark.parametrize("error", PASSING, ids=lambda error: str(error.status))
async def test_what_passes_is_tried_again(error: FerryError) -> None:
    sender = Sender([error, error, b'{"ok":true}'])
    assert orjson.loads(await sender.call().line("r1")) == OUTPUT
    assert sender.sent == 3
    first, second = sender.pauses
    assert 1 <= first <= 2 <= second <= 3


@pytest.mark.parametrize("error", PASSING, ids=lambda error: str(error.status))
async def test_what_does_not_pass_in_a_few_tries_is_the_records_error(error: FerryError) -> None:
    sender = Sender([error] * TRIES)
    line = orjson.loads(await sender.call().line("r1"))
    assert line["error"]["errorCode"] == error.upstream_status or error.code
    assert (sender.sent, len(sender.pauses)) == (TRIES, TRIES - 1)


async def test_a_bad_credential_is_no_result() -> None:
    for answers in ([refusal("UNAUTHENTICATED", 403)], [PASSING[0], refusal("UNAUTHENTICATED")]):
        call = Sender(answers).call()
        with pytest.raises(CredentialRefused):
            await call.line("r1")
        assert call.undone


@pytest.mark.parametrize("output", [b"", b"{", b"[]", b"7", b"\xff"])
async def test_an_answer_that_is_no_object_is_an_error(output: bytes) -> None:
    line = orjson.loads(await Sender([output]).call().line("r1"))
    assert line["error"]["errorCode"] == 503


async def test_it_is_undone_but_while_it_is_in_flight() -> None:
    begun, sent = asyncio.Event(), list[bool]()

    async def send() -> bytes:
        sent.append(call.undone)
        if len(sent) == 1:
            raise refusal("RESOURCE_EXHAUSTED", 429)
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def pause(_: float) -> None:
        sent.append(call.undone)

    call = TriedCall(send, pause)
    assert call.undone
    task = asyncio.create_task(call.line("r1"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sent == [False, True, False]
    assert not call.undone


async def test_what_a_pause_raises_ends_the_call() -> None:
    async def pause(_: float) -> None:
        raise KeyError

    call = TriedCall(Sender([PASSING[0]]).send, pause)
    with pytest.raises(KeyError):
        await call.line("r1")
    assert call.undone


def test_an_unknown_outcome_says_so() -> None:
    line = orjson.loads(outcome_unknown("r1"))
    assert line["recordId"] == "r1"
    assert "unknown" in line["error"]["errorMessage"]
