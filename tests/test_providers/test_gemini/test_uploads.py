"""Starts, queries and cancels: the requests to Google, and how its answers are read."""

import pytest
from yarl import URL

from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.gemini.provider import gemini
from providers.memory import MemoryBudget
from providers.provider import Uploads
from providers.status import Status
from providers.upload import Chunk, UploadSession, UploadStart, UploadStatus
from providers.upstream import UpstreamError
from tests.memory_state import MemoryState
from tests.test_providers.test_gemini.scripted_upstream import Answer, Failure, ScriptedUpstream

GOOGLE = URL("https://generativelanguage.googleapis.com")
UPLOAD_URL = "https://generativelanguage.googleapis.com/upload/v1/files?upload_id=SECRET%2Fx"
STARTED = {
    "X-Goog-Upload-Status": "active",
    "X-Goog-Upload-URL": UPLOAD_URL,
    "X-Goog-Upload-Chunk-Granularity": "262144",
}
CALLER = Caller(Credential(api_key="KEY"), "tenant", {"x-goog-user-project": "p"})
SESSION = UploadSession(
    "s1", {"url": UPLOAD_URL, "control_url": f"{UPLOAD_URL}&c=1", "size": "100"}, None
)
EXPIRED = UploadSession("s1", SESSION.details, None, expired=True)


def uploads(upstream: ScriptedUpstream) -> Uploads:
    return gemini("google", GOOGLE, upstream, MemoryState(), MemoryBudget(), 1 << 20).uploads


# --- start --------------------------------------------------------------------------------------


async def test_a_start_has_all_headers_of_the_client() -> None:
    upstream = ScriptedUpstream(Answer(headers=STARTED))
    start = UploadStart("dn", "text/x", "a.txt", 100, "v1beta", b'{"file": {}}')
    started = await uploads(upstream).start(CALLER, start)
    assert started.details == {"url": UPLOAD_URL, "control_url": UPLOAD_URL, "size": "100"}
    assert (started.granularity, started.needs_caller) == (262144, False)
    sent = upstream.sent[0]
    assert str(sent.request.url) == f"{GOOGLE.origin()}/upload/v1beta/files"
    assert sent.body == b'{"file": {}}'
    assert sent.request.headers == {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "100",
        "X-Goog-Upload-Header-Content-Type": "text/x",
        "X-Goog-Upload-File-Name": "a.txt",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "x-goog-user-project": "p",
        "x-goog-api-key": "KEY",
    }
    assert upstream.done


@pytest.mark.parametrize("granularity", ["", "9" * 5000])
async def test_a_start_invents_nothing(granularity: str) -> None:
    headers = {
        **STARTED,
        "X-Goog-Upload-Control-URL": "https://generativelanguage.googleapis.com/control",
        "X-Goog-Upload-Chunk-Granularity": granularity,
    }
    upstream = ScriptedUpstream(Answer(headers=headers))
    started = await uploads(upstream).start(CALLER, UploadStart())
    assert started.granularity is None
    assert started.details["size"] == ""
    assert started.details["control_url"] == "https://generativelanguage.googleapis.com/control"
    request = upstream.sent[0].request
    assert str(request.url) == f"{GOOGLE.origin()}/upload/files"
    assert not any("Header" in name or "File-Name" in name for name in request.headers)


@pytest.mark.parametrize("version", ["v1beta", ""])
async def test_the_start_of_an_upload_into_something_other_than_files(version: str) -> None:
    upstream = ScriptedUpstream(Answer(headers=STARTED))
    resource = "fileSearchStores/a%20b:uploadToFileSearchStore"
    await uploads(upstream).start(CALLER, UploadStart(version=version, resource=resource))
    path = "/".join(part for part in ("upload", version, resource) if part)
    assert str(upstream.sent[0].request.url) == f"{GOOGLE.origin()}/{path}"


async def test_googles_url_is_in_no_repr() -> None:
    upstream = ScriptedUpstream(Answer(headers=STARTED), Answer(503), Answer(404))
    provider = uploads(upstream)
    started = await provider.start(CALLER, UploadStart(size=1))
    session = UploadSession("s1", started.details, None)
    with pytest.raises(FerryError) as caught:
        await provider.send(session, Chunk(0, in_memory(b"x"), finalize=True))
    shown = f"{started!r} {session!r} {caught.value!r} {upstream.sent[1].request!r} {CALLER!r}"
    assert "SECRET" not in shown
    assert "KEY" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a/b",
        "https://",
        "http://[",
        "javascript:x",
        "https://evil.test/upload/v1/files?upload_id=x",
        "//evil.test/upload",
        "http://generativelanguage.googleapis.com/upload",
        "https://generativelanguage.googleapis.com:8443/upload",
        "https://generativelanguage.googleapis.com.evil.test/upload",
        "https://generativelanguage.googleapis.com@evil.test/upload",
        "https://evil@generativelanguage.googleapis.com/upload",
        "https://storage.googleapis.com/upload",
    ],
)
@pytest.mark.parametrize("header", ["X-Goog-Upload-URL", "X-Goog-Upload-Control-URL"])
async def test_a_start_without_a_usable_url_is_googles_fault(header: str, url: str) -> None:
    if not url and header == "X-Goog-Upload-Control-URL":
        return  # then it is that of the upload
    upstream = ScriptedUpstream(Answer(headers={**STARTED, header: url}))
    with pytest.raises(UpstreamError) as caught:
        await uploads(upstream).start(CALLER, UploadStart())
    assert caught.value.code == 503
    assert upstream.done


async def test_a_regional_host_of_google_takes_uploads() -> None:
    url = "https://generativelanguage.europe-west1.googleapis.com/upload?upload_id=x%2Fy"
    upstream = ScriptedUpstream(Answer(headers={"X-Goog-Upload-URL": url}))
    started = await uploads(upstream).start(CALLER, UploadStart(size=1))
    assert started.details["url"] == url


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (400, Status.INVALID_ARGUMENT),
        (403, Status.PERMISSION_DENIED),
        (418, Status.UNKNOWN),
        (429, Status.RESOURCE_EXHAUSTED),
        (500, Status.INTERNAL),
        (503, Status.UNAVAILABLE),
    ],
)
async def test_a_refused_start_has_googles_code(code: int, status: Status) -> None:
    upstream = ScriptedUpstream(Answer(code, body=b'{"error": {"message": "no", "status": "ODD"}}'))
    with pytest.raises(FerryError) as caught:
        await uploads(upstream).start(CALLER, UploadStart())
    error = caught.value
    assert (error.code, error.status, error.message, error.provider) == (
        code,
        status,
        "no",
        "google",
    )


# --- query and cancel ---------------------------------------------------------------------------


async def test_a_query_says_how_much_google_has() -> None:
    active = {"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": "50"}
    upstream = ScriptedUpstream(Answer(headers=active))
    progress = await uploads(upstream).query(SESSION)
    assert (progress.status, progress.received) == (UploadStatus.ACTIVE, 50)
    assert str(upstream.sent[0].request.url) == SESSION.details["control_url"]
    assert "x-goog-api-key" not in upstream.sent[0].request.headers


async def test_a_query_of_a_finished_upload_has_the_file() -> None:
    upstream = ScriptedUpstream(Answer(200, {"X-Goog-Upload-Status": "final"}, b'{"file": {}}'))
    progress = await uploads(upstream).query(SESSION)
    assert (progress.status, progress.document) == (UploadStatus.FINAL, b'{"file": {}}')


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Goog-Upload-Status": "ACTIVE", "X-Goog-Upload-Size-Received": "5"},
        {"X-Goog-Upload-Status": "active"},
        {"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": "-5"},
        {"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": "9" * 5000},
        {"X-Goog-Upload-Status": "cancelled"},
    ],
)
async def test_an_empty_answer_is_googles_fault(headers: dict[str, str]) -> None:
    with pytest.raises(UpstreamError):
        await uploads(ScriptedUpstream(*[Answer(headers=headers)] * 3)).query(SESSION)


async def test_a_query_of_a_cancelled_upload() -> None:
    upstream = ScriptedUpstream(Answer(410, {"X-Goog-Upload-Status": "cancelled"}))
    with pytest.raises(FerryError) as caught:
        await uploads(upstream).query(SESSION)
    assert caught.value.status == Status.FAILED_PRECONDITION
    assert caught.value.upload_status == "cancelled"


async def test_a_query_of_an_unknown_upload() -> None:
    with pytest.raises(FerryError) as caught:
        await uploads(ScriptedUpstream(Answer(404))).query(SESSION)
    assert (caught.value.code, caught.value.permanent) == (404, True)


async def test_cancel() -> None:
    upstream = ScriptedUpstream(Answer(headers={"X-Goog-Upload-Status": "cancelled"}))
    assert (await uploads(upstream).cancel(SESSION)).status is UploadStatus.CANCELLED
    assert upstream.commands == ["cancel"]


@pytest.mark.parametrize(("told", "shown"), [("final", None), ("cancelled", "cancelled")])
async def test_an_ended_upload_cannot_be_cancelled(told: str, shown: str | None) -> None:
    upstream = ScriptedUpstream(Answer(400, {"X-Goog-Upload-Status": told}))
    with pytest.raises(FerryError) as caught:
        await uploads(upstream).cancel(SESSION)
    assert caught.value.status == Status.FAILED_PRECONDITION
    assert caught.value.upload_status == shown


@pytest.mark.parametrize("code", [404, 503])
async def test_a_cancel_that_google_refuses(code: int) -> None:
    with pytest.raises(FerryError) as caught:
        await uploads(ScriptedUpstream(Answer(code))).cancel(SESSION)
    assert caught.value.code == code


async def test_nothing_is_sent_for_an_expired_url() -> None:
    upstream = ScriptedUpstream()
    provider = uploads(upstream)
    for call in (
        provider.query(EXPIRED),
        provider.cancel(EXPIRED),
        provider.send(EXPIRED, Chunk(0, in_memory(b"x"), finalize=False)),
    ):
        with pytest.raises(FerryError, match="expired") as caught:
            await call
        assert caught.value.status == Status.FAILED_PRECONDITION
        assert caught.value.permanent


# --- the bare finalize --------------------------------------------------------------------------

BARE = Chunk(None, in_memory(b""), finalize=True)
FINAL = Answer(200, {"X-Goog-Upload-Status": "final"}, b'{"file": {}}')
ACTIVE = Answer(headers={"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": "100"})


async def test_a_bare_finalize_is_relayed_unchanged() -> None:
    upstream = ScriptedUpstream(FINAL)
    progress = await uploads(upstream).send(SESSION, BARE)
    assert (progress.status, progress.document) == (UploadStatus.FINAL, b'{"file": {}}')
    assert (upstream.commands, upstream.sent[0].offset) == (["finalize"], "")


@pytest.mark.parametrize(
    "fault",
    [Failure(UpstreamError(Status.UNAVAILABLE, "lost")), Answer(400), Answer(503), ACTIVE],
)
async def test_a_bare_finalize_that_already_succeeded(fault: Answer | Failure) -> None:
    upstream = ScriptedUpstream(fault, FINAL)
    assert (await uploads(upstream).send(SESSION, BARE)).document == b'{"file": {}}'
    assert upstream.commands == ["finalize", "query"]
    assert upstream.done


@pytest.mark.parametrize(("fault", "code"), [(400, 400), (503, 503)])
async def test_a_bare_finalize_that_fails_says_why(fault: int, code: int) -> None:
    upstream = ScriptedUpstream(Answer(fault), ACTIVE)
    with pytest.raises(FerryError) as caught:
        await uploads(upstream).send(SESSION, BARE)
    assert caught.value.code == code
    assert upstream.done


async def test_a_bare_finalize_of_an_unknown_upload() -> None:
    with pytest.raises(FerryError) as caught:
        await uploads(ScriptedUpstream(Answer(404))).send(SESSION, BARE)
    assert caught.value.code == 404
