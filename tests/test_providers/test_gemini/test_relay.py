import pytest
from yarl import URL

from providers.body import Body, in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.gemini.relay import GeminiRelay, below
from providers.provider import RelayedRequest
from providers.status import Status
from providers.upstream import Reply, UpstreamError
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_gemini.scripted_upstream import Answer, Failure, ScriptedUpstream

GOOGLE = URL("https://generativelanguage.googleapis.com")
CALLER = Caller(Credential(api_key="KEY"), "tenant")


@pytest.mark.parametrize(
    "target",
    [
        "/v1/files/a%2Fb%20c:download?alt=media",
        "/v1beta/models/openai/gpt-4:batchGenerateContent",
        "/v1/models/m:streamGenerateContent?alt=sse&x=%2B+%26&empty=&bare",
        "/v1/files/http://host/genai/v1/files/x",
        "/v1//double//slash/",
        "/v1/files/%F0%9F%98%80?t=%e4",
        "/v1/..files/...",
        "/",
    ],
)
def test_the_encoding_is_unchanged(target: str) -> None:
    assert str(below(GOOGLE, URL(target, encoded=True))) == f"{GOOGLE.origin()}{target}"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?key=SECRET", ""),
        ("?key=SECRET&a=%41", "?a=%41"),
        ("?a=1&k%65y=SECRET&b=2", "?a=1&b=2"),
        ("?key", ""),
        ("?monkey=1&keys=2&a=key=3", "?monkey=1&keys=2&a=key=3"),
    ],
)
def test_a_key_in_the_query_is_removed(query: str, kept: str) -> None:
    url = below(GOOGLE, URL(f"/v1/files{query}", encoded=True))
    assert str(url) == f"{GOOGLE.origin()}/v1/files{kept}"


def test_a_base_url_with_a_path_keeps_it() -> None:
    base = URL("http://gateway:8080/corp%20/gemini/")
    url = below(base, URL("/v1/files?a=b", encoded=True))
    assert str(url) == "http://gateway:8080/corp%20/gemini/v1/files?a=b"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../../admin",
        "/v1/%2e%2E/admin",
        "/..",
        "/v1/files%2F..",
        "/v1/models/.:generateContent",
        "/v1/models/..:generateContent",
        "/v1/models/%252e%252e%252fadmin",
        "/v1/models/..%5C..%5Cadmin",
        "/v1/models/m%3Falt=sse:generateContent",
        "/v1/models/m%23:generateContent",
        "/v1/models/m%00",
        "/v1/models/m%0d%0aHost:x",
    ],
)
def test_no_path_leaves_the_base_url(path: str) -> None:
    with pytest.raises(FerryError) as caught:
        below(GOOGLE, URL(path, encoded=True))
    assert caught.value.status == Status.INVALID_ARGUMENT


async def test_a_request_is_relayed_unchanged() -> None:
    upstream = ScriptedUpstream(Answer(418, {"X-Odd": "yes"}, b"no", takes=0))
    body = in_memory(b"{}")
    request = RelayedRequest(
        "PATCH", URL("/v1/x?y=z"), {"Content-Type": "text/x", "Cookie": "c"}, body
    )
    reply = await GeminiRelay(GOOGLE, upstream).relay(CALLER, request)
    assert (reply.status, reply.headers["x-odd"]) == (418, "yes")
    sent = upstream.sent[0].request
    assert (sent.method, str(sent.url)) == ("PATCH", f"{GOOGLE.origin()}/v1/x?y=z")
    assert sent.headers == {"content-type": "text/x", "x-goog-api-key": "KEY"}
    assert sent.body is body


@pytest.mark.parametrize("header", ["Location", "X-Goog-Upload-URL", "x-goog-upload-control-url"])
async def test_an_address_of_another_server_is_not_passed_on(header: str) -> None:
    upstream = ScriptedUpstream(Answer(200, {header: "http://evil.test/"}))
    request = RelayedRequest("GET", URL("/v1/files"), {}, in_memory(b""))
    with pytest.raises(UpstreamError) as refused:
        await GeminiRelay(GOOGLE, upstream).relay(CALLER, request)
    assert refused.value.status == Status.UNAVAILABLE
    assert upstream.done


async def test_googles_own_address_is_passed_on() -> None:
    location = f"{GOOGLE.origin()}/upload/v1/files?upload_id=x"
    upstream = ScriptedUpstream(Answer(200, {"Location": location}))
    request = RelayedRequest("POST", URL("/upload/v1/files"), {}, in_memory(b""))
    reply = await GeminiRelay(GOOGLE, upstream).relay(CALLER, request)
    assert reply.headers["Location"] == location


# --- repeats ------------------------------------------------------------------------------------

LOST = Failure(UpstreamError(Status.UNAVAILABLE, "broke off"))
UNSENT = Failure(UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True), takes=0)
BUSY = Answer(503, {"Retry-After": "1"}, b"busy")
MISSING = Answer(404, {}, b"gone")
DONE = Answer(200, {}, b"done")


async def relayed(method: str, *script: Answer | Failure, body: Body | None = None) -> Reply:
    """The reply, after all of the script."""
    upstream = ScriptedUpstream(*script)
    request = RelayedRequest(method, URL("/v1/files/x"), {}, body)
    reply = await GeminiRelay(GOOGLE, upstream, AT_ONCE).relay(CALLER, request)
    assert len(upstream.sent) == len(script)
    assert all(each.closed for each in upstream.replies[:-1])
    return reply


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("failure", [LOST, UNSENT, BUSY, Answer(429), Answer(500)])
async def test_a_call_that_may_be_repeated_is_repeated(
    method: str, failure: Answer | Failure
) -> None:
    reply = await relayed(method, failure, failure, DONE)
    assert (reply.status, await reply.read(10)) == (200, b"done")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_googles_last_refusal_is_relayed_unchanged(method: str) -> None:
    reply = await relayed(method, LOST, BUSY, BUSY)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert await reply.read(10) == b"busy"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_missing_object_is_missing(method: str) -> None:
    reply = await relayed(method, MISSING)
    assert (reply.status, await reply.read(10)) == (404, b"gone")


async def test_what_a_lost_deletion_has_deleted_is_deleted() -> None:
    reply = await relayed("DELETE", LOST, MISSING)
    assert (reply.status, await reply.read(10)) == (200, b"{}")


@pytest.mark.parametrize("failure", [BUSY, Answer(429), Answer(500)])
async def test_a_post_that_was_refused_is_not_repeated(failure: Answer) -> None:
    assert (await relayed("POST", failure, body=in_memory(b"{}"))).status == failure.status


async def test_a_post_that_may_have_arrived_is_not_repeated() -> None:
    with pytest.raises(UpstreamError):
        await relayed("POST", LOST, body=in_memory(b"{}"))


async def test_a_post_that_did_not_arrive_is_repeated_with_its_body() -> None:
    reply = await relayed("POST", UNSENT, DONE, body=in_memory(b"{}"))
    assert await reply.read(10) == b"done"


async def test_a_long_refusal_is_relayed_as_it_arrives() -> None:
    reply = await relayed("GET", Answer(503, {}, b"x" * 100_000))
    assert (reply.status, len(await reply.read(200_000))) == (503, 100_000)
