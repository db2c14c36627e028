import orjson
import pytest

from providers.errors import CredentialRefused
from providers.gemini.refusal import GoogleRefusal, check
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedReply


async def refusal_of(answer: Answer) -> GoogleRefusal:
    with pytest.raises(GoogleRefusal) as caught:
        await check("gemini", ScriptedReply(answer))
    return caught.value


async def test_googles_answer_is_passed_on_unchanged() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    error = {"code": 400, "message": "No good.", "status": "INVALID_ARGUMENT", "details": [info]}
    refusal = await refusal_of(Answer(400, {"Retry-After": "7"}, orjson.dumps({"error": error})))
    assert (refusal.code, refusal.status, refusal.message) == (
        400,
        Status.INVALID_ARGUMENT,
        "No good.",
    )
    assert (refusal.reason, refusal.provider) == ("API_KEY_INVALID", "gemini")
    assert (refusal.upstream_status, refusal.retry_after) == (400, "7")


async def test_a_status_that_we_do_not_have_stays_googles() -> None:
    body = orjson.dumps([{"error": {"message": "gone", "status": "CANCELLED"}}])
    refusal = await refusal_of(Answer(499, body=body))
    assert (refusal.code, refusal.status, refusal.message) == (499, Status.CANCELLED, "gone")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b'{"error": "text"}',
        b'{"error": {"message": 3}}',
        b"x" * 70_000,
    ],
)
async def test_a_malformed_envelope_still_has_googles_code(body: bytes) -> None:
    refusal = await refusal_of(Answer(403, body=body))
    assert (refusal.code, refusal.status) == (403, Status.PERMISSION_DENIED)
    assert "403" in refusal.message


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 410, 411, 413, 415])
async def test_permanent_errors(code: int) -> None:
    assert (await refusal_of(Answer(code))).permanent


@pytest.mark.parametrize("code", [408, 409, 412, 416, 429, 500, 501, 502, 503, 504])
async def test_temporary_errors(code: int) -> None:
    assert not (await refusal_of(Answer(code))).permanent


@pytest.mark.parametrize("told", ["active", "final", "odd", ""])
async def test_only_cancelled_is_passed_on_of_the_upload_status(told: str) -> None:
    refusal = await refusal_of(Answer(400, {"X-Goog-Upload-Status": told}))
    assert refusal.upload_status is None


async def test_cancelled_is_passed_on() -> None:
    refusal = await refusal_of(Answer(410, {"X-Goog-Upload-Status": "cancelled"}))
    assert refusal.upload_status == "cancelled"


@pytest.mark.parametrize("code", [201, 204, 302, 308])
async def test_neither_a_success_nor_a_refusal(code: int) -> None:
    with pytest.raises(UpstreamError, match=f"HTTP status {code}") as caught:
        await check("gemini", ScriptedReply(Answer(code)))
    assert ("check the BASE_URL" in caught.value.message) is (code >= 300)


async def test_a_200_passes() -> None:
    await check("gemini", ScriptedReply(Answer()))


@pytest.mark.parametrize(
    ("code", "reason", "refused"),
    [
        (401, "", True),
        (400, "API_KEY_INVALID", True),
        (400, "", False),
        (403, "SERVICE_DISABLED", False),
    ],
)
async def test_an_invalid_key_differs_from_other_refusals(
    code: int, reason: str, *, refused: bool
) -> None:
    details = [{"reason": reason}] if reason else []
    body = orjson.dumps({"error": {"message": "no", "details": details}})
    refusal = await refusal_of(Answer(code, {}, body))
    assert isinstance(refusal, CredentialRefused) is refused


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("34s", "34"), ("34.074824224s", "35"), ("0s", "0"), ("", None), ("-1s", None), (7, None)],
)
async def test_googles_own_form_of_retry_after_is_read(delay: object, seconds: str | None) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"reason": "x"}, info]}
    refusal = await refusal_of(Answer(429, {}, orjson.dumps({"error": error})))
    assert refusal.retry_after == seconds
    both = await refusal_of(Answer(429, {"Retry-After": "7"}, orjson.dumps({"error": error})))
    assert both.retry_after == "7"
