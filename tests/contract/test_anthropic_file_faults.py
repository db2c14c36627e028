"""Uploads to Anthropic while answers are lost, invalid or late: one file, or none."""

import asyncio
from typing import Any

import pytest

from providers.body import Body
from providers.resource_names import native_file_id, parse_file_id
from providers.resources import File
from providers.retries import ATTEMPTS
from providers.status import Status
from providers.upload import GRANULARITY
from tests.contract.anthropic_uploading import (
    DATA,
    SENT,
    SMALL,
    last_chunk,
    the_one_file,
    whole,
)
from tests.contract.anthropic_with_fake import (
    CALLER,
    AnthropicWithFake,
)
from tests.contract.provider_with_fake import refused, sha256


async def test_a_lost_answer_creates_no_second_file(anthropic: AnthropicWithFake) -> None:
    await anthropic.strike("POST", "files", "lose_answer")
    session = await anthropic.start(len(SMALL), SENT)
    await the_one_file(anthropic, SMALL, await whole(anthropic, session))


async def test_another_sessions_file_of_the_same_name_is_never_taken(
    anthropic: AnthropicWithFake,
) -> None:
    """It has the same size too, and its replica died before it recorded the file."""
    await anthropic.upload(SMALL[::-1], SENT, "first")
    await anthropic.lose("files/")
    await anthropic.strike("POST", "files", "reset", after_bytes=500)
    session = await anthropic.start(len(SMALL), SENT)
    await refused(whole(anthropic, session))
    final = await whole(anthropic, session)
    assert final.file is not None
    assert await anthropic.sha256_of(parse_file_id(final.file.id).native) == sha256(SMALL)


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "reset", "after_bytes": 500}])
async def test_a_lost_file_is_found_after_many_newer_ones(
    anthropic: AnthropicWithFake, fault: dict[str, Any]
) -> None:
    await anthropic.post("/_fake/settings", {"page_limit": 1})
    session = await anthropic.start(len(SMALL), SENT)
    await anthropic.strike("POST", "files", **fault)
    await anthropic.strike("GET", "files", "status", status=500, times=ATTEMPTS)
    error = await refused(whole(anthropic, session))
    assert (error.status, error.upload_status) == (Status.UNAVAILABLE, None)
    lost = await anthropic.objects("files")
    for number in range(3):
        await anthropic.upload(b"another", "b.pdf", f"other-{number}")
    final = await whole(anthropic, session)
    assert final.file is not None
    assert lost in ([], [parse_file_id(final.file.id).native])
    assert len(await anthropic.objects("files")) == 4


async def test_another_uploads_file_of_the_same_name_and_size_is_left_alone(
    anthropic: AnthropicWithFake,
) -> None:
    first = await anthropic.upload(SMALL, SENT, "first")
    await anthropic.strike("POST", "files", "reset", after_bytes=500)
    session = await anthropic.start(len(SMALL), SENT)
    await refused(whole(anthropic, session))
    final = await whole(anthropic, session)
    assert final.file is not None
    assert final.file.id != first
    assert len(await anthropic.objects("files")) == 2


async def test_an_older_file_is_not_mistaken_for_ours(
    anthropic: AnthropicWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anthropic.upload(SMALL, SENT, "first")
    await anthropic.lose("")
    monkeypatch.setattr("time.time", lambda: 4e9)
    session = await anthropic.start(len(SMALL), SENT)
    monkeypatch.undo()
    await anthropic.strike("POST", "files", "reset", after_bytes=500)
    await refused(whole(anthropic, session))
    assert len(await anthropic.objects("files")) == 1


async def test_a_refused_file_is_not_confused_with_one_of_the_same_name(
    anthropic: AnthropicWithFake,
) -> None:
    await anthropic.upload(SMALL, SENT, "first")
    await anthropic.lose("files/")
    await anthropic.strike("POST", "files", "status", status=400)
    error = await refused(whole(anthropic, await anthropic.start(len(SMALL), SENT)))
    assert (error.status, error.permanent) == (Status.INVALID_ARGUMENT, True)


async def test_staged_parts_are_closed_if_their_file_is_found(
    anthropic: AnthropicWithFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await anthropic.start(len(DATA), SENT)
    await anthropic.send(session, DATA[: 2 * GRANULARITY])
    await anthropic.strike("POST", "files", "lose_answer")
    await anthropic.strike("GET", "files", "status", status=503, times=ATTEMPTS)
    await refused(last_chunk(anthropic, session))
    given: list[Content] = []
    get = anthropic.state.get

    async def remembered(name: str) -> Body | None:
        body = await get(name)
        if body is None or not name.endswith("/content"):
            return body
        given.append(Content(body))
        return Body(given[-1], body.length)

    monkeypatch.setattr(anthropic.state, "get", remembered)
    await the_one_file(anthropic, DATA, await last_chunk(anthropic, session))
    assert [content.closed for content in given] == [True]


class Content:
    """The body of a state object; it records whether it was closed."""

    def __init__(self, body: Body) -> None:
        self._chunks = aiter(body.chunks)
        self.closed = False

    def __aiter__(self) -> "Content":
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("answer", [{}, {"id": None}, {"id": "a/b"}, [], "no json"])
async def test_an_invalid_answer_is_the_upstreams_fault(
    anthropic: AnthropicWithFake, answer: Any
) -> None:
    await anthropic.strike("POST", "files", "status", status=200, body=answer)
    error = await refused(whole(anthropic, await anthropic.start(len(SMALL), SENT)))
    assert error.status == Status.UNAVAILABLE


async def test_a_cancel_during_the_end_leaves_no_file(anthropic: AnthropicWithFake) -> None:
    session = await anthropic.start(len(SMALL), SENT)
    await anthropic.strike("POST", "files", "delay", name="slow", at="request")
    slow = asyncio.create_task(refused(whole(anthropic, session)))
    await anthropic.happened("slow")
    assert (await anthropic.uploads.cancel(session)).status == "cancelled"
    await anthropic.release("slow")
    error = await slow
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")
    assert await anthropic.objects("files") == []
    assert await anthropic.kept() == ["uploads/s1/end"]


async def test_a_cancel_during_the_end_is_too_late_for_a_file_that_was_made(
    anthropic: AnthropicWithFake,
) -> None:
    session = await anthropic.start(len(SMALL), SENT)
    await anthropic.strike("POST", "files", "delay", name="slow", at="answer")
    slow = asyncio.create_task(whole(anthropic, session))
    await anthropic.happened("slow")
    error = await refused(anthropic.uploads.cancel(session))
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "final")
    await anthropic.release("slow")
    await the_one_file(anthropic, SMALL, await slow)


async def test_another_sender_can_continue_for_one_that_disconnected(
    anthropic: AnthropicWithFake,
) -> None:
    session = await anthropic.start(len(SMALL), SENT)
    await anthropic.strike("POST", "files", "delay", name="slow", at="answer")
    gone = asyncio.create_task(whole(anthropic, session))
    await anthropic.happened("slow")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await the_one_file(anthropic, SMALL, await whole(anthropic, session))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size_bytes": "many"}, "size"),
        ({"created_at": "yesterday"}, "create_time"),
        ({"filename": None}, "display_name"),
        ({"mime_type": ""}, "mime_type"),
    ],
)
async def test_an_unreadable_field_of_a_file_is_absent(
    anthropic: AnthropicWithFake, change: dict[str, Any], field: str
) -> None:
    native = {"id": "file_a", "size_bytes": 1, "created_at": "2026-11-01T00:00:00Z"} | change
    await anthropic.strike("GET", "files/file_a", "status", status=200, body=native)
    file: File = await anthropic.files.get(CALLER, "file_a")
    assert (file.id, getattr(file, field)) == (native_file_id("file_a"), None)
