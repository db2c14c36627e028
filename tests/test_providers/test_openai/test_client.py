import pytest

from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.openai.client import Answer, outcome_unknown
from providers.upstream import UpstreamError
from tests.test_providers.test_gemini.scripted_upstream import Failure, ScriptedUpstream, in_pieces
from tests.test_providers.test_openai.answering import BASE, CALLER, answer, client


async def refusal(status: int, document: object, caller: Caller = CALLER) -> FerryError:
    headers = {"x-request-id": "req_1", "retry-after": "7"}
    upstream = ScriptedUpstream(answer(document, status, headers))
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(caller, "files/a")
    assert upstream.done
    return caught.value


# --- what is sent -------------------------------------------------------------------------------


async def test_only_listed_headers_are_sent() -> None:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    assert await client(upstream).get(CALLER, "files", limit=2, after="x") == {"id": "a"}
    request = upstream.sent[0].request
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/files?limit=2&after=x")
    assert request.headers == {
        "openai-project": "proj",
        "Authorization": "Bearer sk-secret",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    assert "secret" not in repr(request)
    assert upstream.done


async def test_a_document_and_a_stream() -> None:
    upstream = ScriptedUpstream(answer({}), answer({}), answer({}))
    ours = client(upstream)
    await ours.post(CALLER, "batches", {"a": 1})
    await ours.post(CALLER, "batches/b/cancel")
    await ours.post_body(CALLER, "files", "text/x", in_pieces(b"0123456789" * 3))
    assert [sent.body for sent in upstream.sent] == [b'{"a":1}', b"", b"0123456789" * 3]
    types = [sent.request.headers.get("Content-Type") for sent in upstream.sent]
    assert types == ["application/json", None, "text/x"]


# --- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b"null", b"1"])
async def test_what_is_no_object_is_the_upstreams_fault(data: bytes) -> None:
    upstream = ScriptedUpstream(answer(data))
    with pytest.raises(UpstreamError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value.code == 503
    assert upstream.done


def test_what_must_be_in_an_answer() -> None:
    found = Answer(id="a", none=None, inner={"x": 1}, text="t")
    assert (found["id"], found.part("inner")["x"], found.get("none")) == ("a", 1, None)
    for absent in ("none", "nowhere"):
        with pytest.raises(UpstreamError, match=absent):
            found[absent]
    with pytest.raises(UpstreamError, match="text"):
        found.part("text")


async def test_an_encoded_content_is_not_handed_on() -> None:
    upstream = ScriptedUpstream(answer(b"x", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UpstreamError, match="encoded"):
        await client(upstream).open(CALLER, "files/a/content")
    assert upstream.done


async def test_an_encoded_document_is_called_what_it_is() -> None:
    upstream = ScriptedUpstream(answer(b"x", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UpstreamError, match="encoded"):
        await client(upstream).get(CALLER, "files/a")


@pytest.mark.parametrize("http", [200, 201, 202])
async def test_a_server_that_only_speaks_the_api_may_say_created(http: int) -> None:
    upstream = ScriptedUpstream(answer({"id": "file-a"}, http))
    assert (await client(upstream).post(CALLER, "files")).id == "file-a"


@pytest.mark.parametrize(
    ("http", "status"),
    [
        (204, "UNAVAILABLE"),
        (302, "UNAVAILABLE"),
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (402, "RESOURCE_EXHAUSTED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (408, "DEADLINE_EXCEEDED"),
        (409, "ABORTED"),
        (413, "INVALID_ARGUMENT"),
        (422, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "UNAVAILABLE"),
        (502, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_refusal_in_our_words(http: int, status: str) -> None:
    error = await refusal(http, {"error": {"message": "no", "code": "c", "type": "t"}})
    assert (error.status, error.message) == (status, "openai: no")
    assert (error.provider, error.reason, error.request_id) == ("openai", "c", "req_1")
    assert (error.upstream_status, error.retry_after) == (http, "7")


@pytest.mark.parametrize(
    "document", [b"", b"<html>", [], {}, {"error": None}, {"error": "text"}, b"x" * (65 << 10)]
)
async def test_a_refusal_that_says_nothing(document: object) -> None:
    error = await refusal(404, document)
    assert (error.status, error.message, error.reason) == (
        "NOT_FOUND",
        "openai: HTTP status 404",
        None,
    )


async def test_a_key_that_is_echoed_is_cut_out() -> None:
    echo = {"error": {"message": "Incorrect: sk-secret.", "type": "bad sk-secret"}}
    error = await refusal(401, echo)
    assert (error.message, error.reason) == ("openai: Incorrect: ***.", "bad ***")
    error = await refusal(401, echo, Caller(Credential(), "tenant"))
    assert error.message == "openai: Incorrect: sk-secret."


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (UpstreamError("UNAVAILABLE", "broke off"), True),
        (UpstreamError("DEADLINE_EXCEEDED", "silent"), True),
        (UpstreamError("UNAVAILABLE", "refused", unsent=True), False),
        (FerryError("UNAVAILABLE", "500"), True),
        (FerryError("DEADLINE_EXCEEDED", "504"), True),
        (FerryError("INVALID_ARGUMENT", "400"), False),
        (FerryError("RESOURCE_EXHAUSTED", "429"), False),
    ],
)
def test_what_openai_may_have_done(error: FerryError, unknown: bool) -> None:
    assert outcome_unknown(error) is unknown


async def test_an_upstream_that_fails_says_so_itself() -> None:
    failure = UpstreamError("UNAVAILABLE", "x", unsent=True)
    upstream = ScriptedUpstream(Failure(failure))
    with pytest.raises(UpstreamError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value is failure
