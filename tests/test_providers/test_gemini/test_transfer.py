"""A chunk with bytes 40 to 60 of 100, and everything that can happen to it."""

import pytest

from providers.body import Body, TruncatedBody
from providers.errors import FerryError
from providers.retries import ATTEMPTS
from providers.status import Status
from providers.upload import UploadStatus
from providers.upstream import UpstreamError
from tests.test_providers.test_gemini.scripted_upstream import Answer, Failure, pieces
from tests.test_providers.test_gemini.uploading import (
    ACTIVE,
    DATA,
    DOCUMENT,
    FINAL,
    LOST,
    NOTE,
    SILENT,
    UPLOAD_URL,
    Uploading,
    has,
    refused,
)

WHOLE = ("upload", "40", DATA)
WHOLE_AND_LAST = ("upload, finalize", "40", DATA)
QUERY = ("query", "", b"")


# --- when all is well ---------------------------------------------------------------------------


async def test_a_chunk_is_relayed() -> None:
    uploading = Uploading(ACTIVE)
    progress = await uploading.send()
    assert (progress.status, progress.received) == (UploadStatus.ACTIVE, 60)
    assert uploading.went == [WHOLE]
    request = uploading.upstream.sent[0].request
    assert (request.method, str(request.url)) == ("POST", UPLOAD_URL)
    assert isinstance(request.body, Body)
    assert request.body.length == 20
    assert request.headers == {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "upload",
        "X-Goog-Upload-Offset": "40",
        "Content-Type": "application/octet-stream",
        "Accept-Encoding": "identity",
    }
    assert uploading.state.objects == {}


async def test_the_last_chunk_returns_the_file_exactly_as_from_google() -> None:
    uploading = Uploading(FINAL, declared="60")
    progress = await uploading.send(finalize=True)
    assert (progress.status, progress.received, progress.document) == ("final", 60, DOCUMENT)
    assert uploading.went == [WHOLE_AND_LAST]


async def test_an_empty_file() -> None:
    uploading = Uploading(FINAL, declared="0")
    assert (await uploading.send(finalize=True, offset=0, data=b"")).status == "final"
    assert uploading.went == [("upload, finalize", "0", b"")]


# --- Google refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [401, 403, 404, 405, 410, 411, 413, 415])
async def test_a_permanent_refusal_is_passed_on(code: int) -> None:
    error = await Uploading(refused(code)).fail()
    assert (error.code, error.message, error.permanent) == (code, "Google said no.", True)


async def test_too_many_requests_is_passed_on_and_may_be_repeated() -> None:
    error = await Uploading(refused(429)).fail()
    assert (error.code, error.permanent) == (429, False)


@pytest.mark.parametrize("told", ["active", "final", ""])
async def test_a_400_that_is_not_about_the_offset_is_permanent(told: str) -> None:
    error = await Uploading(refused(400, told), has(40)).fail()
    assert (error.code, error.message, error.permanent) == (400, "Google said no.", True)


@pytest.mark.parametrize("code", [408, 409, 412, 416, 500, 503])
async def test_a_temporary_refusal_may_be_repeated(code: int) -> None:
    uploading = Uploading(refused(code), has(40))
    error = await uploading.fail()
    assert (error.code, error.permanent, error.upload_status) == (code, False, None)
    assert uploading.state.objects == {}


@pytest.mark.parametrize("received", [0, 39])
@pytest.mark.parametrize("fault", [refused(409), refused(400), refused(416, ""), LOST])
async def test_an_offset_beyond_what_google_has_is_permanent(
    received: int, fault: Answer | Failure
) -> None:
    error = await Uploading(fault, has(received)).fail()
    assert (error.code, error.status, error.permanent) == (400, Status.FAILED_PRECONDITION, True)
    assert "40" in error.message
    assert str(received) in error.message


async def test_a_cancelled_upload_says_so() -> None:
    error = await Uploading(refused(400, "cancelled"), refused(410, "cancelled")).fail()
    assert (error.status, error.upload_status) == (Status.FAILED_PRECONDITION, "cancelled")


@pytest.mark.parametrize(("end", "finalize"), [("59", True), ("61", True), ("59", False)])
async def test_a_chunk_that_does_not_fit_the_total_is_not_sent(end: str, finalize: bool) -> None:
    error = await Uploading(declared=end).fail(finalize=finalize)
    assert (error.code, error.permanent) == (400, True)
    assert end in error.message


# --- an answer is lost, or comes too soon ---------------------------------------------------------

FAULTS = [LOST, SILENT, refused(409), refused(400), refused(503, ""), Answer(), Answer(308)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("received", [60, 80])
async def test_a_chunk_that_already_arrived_is_active(
    fault: Answer | Failure, received: int
) -> None:
    uploading = Uploading(fault, has(received))
    progress = await uploading.send()
    assert (progress.status, progress.received) == ("active", received)
    assert await uploading.left() == b""
    assert uploading.upstream.done


async def test_the_rest_of_a_chunk_that_already_arrived_is_drained() -> None:
    uploading = Uploading(refused(409, takes=10), has(60))
    assert (await uploading.send()).status == "active"
    assert await uploading.left() == b""


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_last_chunk_that_already_arrived_is_finalized_without_bytes(
    fault: Answer | Failure,
) -> None:
    uploading = Uploading(fault, has(60), FINAL)
    assert (await uploading.send(finalize=True)).document == DOCUMENT
    assert uploading.went == [WHOLE_AND_LAST, QUERY, ("upload, finalize", "60", b"")]


@pytest.mark.parametrize("fault", [*FAULTS, refused(400, "final", takes=10)])
async def test_a_last_chunk_whose_answer_was_lost_returns_the_same_file(
    fault: Answer | Failure,
) -> None:
    uploading = Uploading(fault, FINAL)
    assert (await uploading.send(finalize=True)).document == DOCUMENT
    assert await uploading.left() == b""


@pytest.mark.parametrize("noted", [False, True])
@pytest.mark.parametrize("received", [45, 60])
async def test_a_last_chunk_that_another_replica_finishes_meanwhile(
    noted: bool, received: int
) -> None:
    before = [] if noted else [refused(400, "active", takes=0)]
    uploading = Uploading(*before, has(received), refused(400, "final"), FINAL, noted=noted)
    progress = await uploading.send(finalize=True)
    assert (progress.document, progress.repeated) == (DOCUMENT, True)
    assert uploading.state.objects == {}


async def test_a_last_chunk_does_not_repeat_a_shorter_file() -> None:
    shorter = Answer(200, FINAL.headers, DOCUMENT.replace(b"60", b"59"))
    error = await Uploading(refused(400, "final"), shorter).fail(finalize=True)
    assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"file": {"sizeBytes": null}}'])
async def test_a_file_without_a_size_is_believed(document: bytes) -> None:
    final = Answer(200, FINAL.headers, document)
    assert (await Uploading(LOST, final).send(finalize=True)).document == document


async def test_a_finished_upload_accepts_no_more() -> None:
    error = await Uploading(refused(400, "final"), FINAL).fail()
    assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)


async def test_more_than_the_end_of_the_last_chunk_is_permanent() -> None:
    error = await Uploading(refused(409), has(61)).fail(finalize=True)
    assert (error.status, error.permanent) == (Status.FAILED_PRECONDITION, True)


@pytest.mark.parametrize("early", [ACTIVE, has(60)])
async def test_active_before_the_chunk_was_sent_is_ignored(early: Answer) -> None:
    uploading = Uploading(Answer(200, early.headers, takes=10), has(50), ACTIVE)
    assert (await uploading.send()).received == 60
    assert uploading.went[1:] == [QUERY, ("upload", "50", DATA[10:])]


# --- a part of the chunk is there -----------------------------------------------------------------


@pytest.mark.parametrize("received", [45, 50, 59])
async def test_missing_bytes_are_sent_from_the_same_body(received: int) -> None:
    uploading = Uploading(refused(409, takes=0), has(received), ACTIVE)
    assert (await uploading.send()).received == 60
    rest = DATA[received - 40 :]
    assert uploading.went[1:] == [QUERY, ("upload", str(received), rest)]
    assert uploading.state.objects == {}
    assert uploading.upstream.done


async def test_a_connection_that_broke_at_once_is_tried_again() -> None:
    broken = Failure(UpstreamError(Status.UNAVAILABLE, "broke off"), takes=0)
    uploading = Uploading(broken, has(40), ACTIVE)
    assert (await uploading.send()).received == 60
    assert uploading.went == [("upload", "40", b""), QUERY, WHOLE]


async def test_after_nothing_was_sent_there_is_no_query() -> None:
    unsent = UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True)
    uploading = Uploading(*[Failure(unsent, takes=0)] * ATTEMPTS)
    assert await uploading.fail() is unsent
    assert uploading.state.objects == {}


@pytest.mark.parametrize(("takes", "received"), [(None, 41), (None, 59), (20, 50), (10, 49)])
async def test_lost_bytes_are_requested_from_the_client_again(
    takes: int | None, received: int
) -> None:
    broken = Failure(UpstreamError(Status.UNAVAILABLE, "broke off"), takes)
    uploading = Uploading(broken, has(received))
    error = await uploading.fail()
    assert (error.code, error.permanent, error.upload_status) == (503, False, None)
    assert uploading.state.objects == {NOTE: b""}


@pytest.mark.parametrize("query", [LOST, SILENT, refused(503, ""), refused(429), Answer()])
async def test_an_outcome_that_stays_unknown_is_recorded(query: Answer | Failure) -> None:
    uploading = Uploading(LOST, *[query] * ATTEMPTS)
    error = await uploading.fail()
    assert (error.code, error.permanent, error.upload_status) == (503, False, None)
    assert uploading.state.objects == {NOTE: b""}


async def test_an_upload_that_google_no_longer_knows_is_gone_for_good() -> None:
    uploading = Uploading(LOST, refused(404, ""))
    error = await uploading.fail()
    assert (error.code, error.permanent) == (404, True)
    assert uploading.state.objects == {}


@pytest.mark.parametrize("again", [LOST, refused(409), refused(503, "")])
async def test_missing_bytes_are_sent_once(again: Answer | Failure) -> None:
    uploading = Uploading(refused(409, takes=0), has(45), again)
    assert (await uploading.fail()).code == 503
    assert uploading.state.objects == {NOTE: b""}


async def test_a_refusal_of_the_missing_bytes_is_passed_on() -> None:
    error = await Uploading(refused(409, takes=0), has(45), refused(413)).fail()
    assert (error.code, error.permanent) == (413, True)


# --- the same chunk again -------------------------------------------------------------------------


@pytest.mark.parametrize("received", [40, 41, 59])
async def test_a_recorded_chunk_is_continued(received: int) -> None:
    uploading = Uploading(has(received), ACTIVE, noted=True)
    assert (await uploading.send()).received == 60
    rest = DATA[received - 40 :]
    assert uploading.went == [QUERY, ("upload", str(received), rest)]
    assert uploading.state.objects == {}


async def test_a_recorded_chunk_that_arrived_is_not_sent_again() -> None:
    uploading = Uploading(has(60), noted=True)
    assert (await uploading.send()).received == 60
    assert await uploading.left() == b""
    assert uploading.state.objects == {}


async def test_a_recorded_last_chunk_that_arrived_returns_its_file() -> None:
    uploading = Uploading(FINAL, noted=True)
    assert (await uploading.send(finalize=True)).document == DOCUMENT


@pytest.mark.parametrize("script", [[LOST] * 3, [has(50), LOST], [has(50), refused(409)]])
async def test_the_record_of_a_chunk_stays_while_the_outcome_is_unknown(
    script: list[Answer | Failure],
) -> None:
    uploading = Uploading(*script, noted=True)
    assert (await uploading.fail()).code == 503
    assert uploading.state.objects == {NOTE: b""}


# --- the client is at fault -----------------------------------------------------------------------


async def test_an_error_of_the_clients_body_is_raised_unchanged() -> None:
    uploading = Uploading(ACTIVE)
    with pytest.raises(TruncatedBody):
        await uploading.send(body=Body(pieces(DATA[:10], 10), 20))


async def test_a_body_that_cannot_be_continued_is_requested_again() -> None:
    """Some bodies end where reading was cancelled; the client repeats the chunk in any case."""
    uploading = Uploading(refused(409, takes=10), has(55))
    with pytest.raises(FerryError) as caught:
        await uploading.send(body=Body(pieces(DATA[:10], 10), 20))
    assert caught.value.code == 503
    assert uploading.state.objects == {NOTE: b""}


async def test_a_chunk_that_is_to_be_sent_again_says_when() -> None:
    busy = Answer(503, {"Retry-After": "70"})
    uploading = Uploading(LOST, busy)
    assert (await uploading.fail()).retry_after == "70"
