from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from providers.credential import Caller, Credential
from providers.errors import FerryError, NotFound
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.retries import ATTEMPTS
from providers.state import StateError
from providers.status import Status
from providers.upstream import Upstream, UpstreamError
from tests.test_providers.answering import CALLER, answer
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_gemini.scripted_upstream import Failure, ScriptedUpstream, in_pieces

BASE = URL("https://api.provider.test/v1")


def client(upstream: Upstream) -> JsonApi:
    return JsonApi(
        "provider",
        BASE,
        upstream,
        lambda caller: {"x-key": caller.credential.secret},
        frozenset({"no_money"}),
        retries=AT_ONCE,
    )


async def refusal(status: int, document: object, caller: Caller = CALLER) -> FerryError:
    headers = {"x-request-id": "req_1", "retry-after": "7"}
    refused = answer(document, status, headers)
    with pytest.raises(FerryError) as caught:
        await client(ScriptedUpstream(*[refused] * ATTEMPTS)).get(caller, "files/a")
    return caught.value


# --- what is sent -------------------------------------------------------------------------------


async def test_a_callers_headers_are_the_providers_own() -> None:
    upstream = ScriptedUpstream(answer({"id": "a"}))
    assert await client(upstream).get(CALLER, "files", limit=2, after="x") == {"id": "a"}
    request = upstream.sent[0].request
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/files?limit=2&after=x")
    assert request.headers == {
        "x-key": "sk-secret",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    assert "secret" not in repr(request)
    assert upstream.done


@given(st.text())
@example("../../evil")
@example("//evil.test/x")
@example("http://evil.test/x")
@example("@evil.test")
async def test_no_id_that_an_upstream_names_leads_to_another_server(native_id: str) -> None:
    upstream = ScriptedUpstream(answer({}))
    await client(upstream).get(CALLER, f"files/{native_id}/content")
    assert upstream.sent[0].request.url.origin() == BASE.origin()


async def test_a_document_and_a_stream() -> None:
    upstream = ScriptedUpstream(answer({}), answer({}), answer({}))
    ours = client(upstream)
    await ours.post(CALLER, "batches", {"a": 1})
    await ours.post(CALLER, "batches/b/cancel")
    await ours.post_body(CALLER, "files", "text/x", in_pieces(b"0123456789" * 3))
    assert [sent.body for sent in upstream.sent] == [b'{"a":1}', b"", b"0123456789" * 3]
    types = [sent.request.headers.get("Content-Type") for sent in upstream.sent]
    assert types == ["application/json", None, "text/x"]
    assert all(sent.request.headers["x-key"] == "sk-secret" for sent in upstream.sent)


async def test_further_headers_of_one_request() -> None:
    upstream = ScriptedUpstream(answer({}))
    await client(upstream).post_body(CALLER, "files", "text/x", in_pieces(b"0"), some_version="1")
    headers = upstream.sent[0].request.headers
    assert (headers["some-version"], headers["Content-Type"], headers["x-key"]) == (
        "1",
        "text/x",
        "sk-secret",
    )


# --- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"no json", b"[]", b"null", b"1"])
async def test_an_answer_that_is_not_an_object_is_the_upstreams_fault(data: bytes) -> None:
    upstream = ScriptedUpstream(*[answer(data)] * ATTEMPTS)
    with pytest.raises(UpstreamError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value.code == 503
    assert upstream.done


def test_required_members_of_an_answer() -> None:
    found = Answer(id="a", none=None, inner={"x": 1}, text="t")
    assert (found["id"], found.part("inner")["x"], found.get("none")) == ("a", 1, None)
    for absent in ("none", "nowhere"):
        with pytest.raises(UpstreamError, match=absent):
            found[absent]
    with pytest.raises(UpstreamError, match="text"):
        found.part("text")


@pytest.mark.parametrize("native_id", [None, 1, "", "a/b", "..", "a b"])
async def test_an_id_without_an_object(native_id: object) -> None:
    with pytest.raises(UpstreamError):
        _ = Answer(id=native_id).id


@pytest.mark.parametrize(
    ("document", "page"),
    [
        ({"data": [{"id": "a"}], "has_more": True}, ([{"id": "a"}], True)),
        ({"data": [{"id": "a"}], "has_more": False}, ([{"id": "a"}], False)),
        ({"data": [{"id": "a"}]}, ([{"id": "a"}], False)),
        ({"data": [], "has_more": True}, ([], False)),
        ({"data": None}, ([], False)),
        ({}, ([], False)),
        ({"object": "list"}, ([], False)),
    ],
)
async def test_a_page_of_a_list(document: Any, page: tuple[list[dict[str, Any]], bool]) -> None:
    upstream = ScriptedUpstream(answer(document))
    assert await client(upstream).list(CALLER, "files", limit=2) == page
    assert str(upstream.sent[0].request.url) == f"{BASE}/files?limit=2"
    assert upstream.done


@pytest.mark.parametrize("document", [{"models": [{"name": "a"}]}, {"error": "no list"}])
async def test_what_is_no_list_is_not_an_empty_one(document: Any) -> None:
    with pytest.raises(UpstreamError, match="did not answer with a list"):
        await client(ScriptedUpstream(*[answer(document)] * ATTEMPTS)).list(CALLER, "files")


@pytest.mark.parametrize("document", [[{"id": "a"}], {"data": [{"id": "a"}]}])
async def test_a_list_of_models_may_have_no_object_around_it(document: Any) -> None:
    assert await client(ScriptedUpstream(answer(document))).models(CALLER) == [{"id": "a"}]


async def test_a_list_of_models_has_objects() -> None:
    with pytest.raises(UpstreamError, match="did not answer with a list"):
        await client(ScriptedUpstream(*[answer([1])] * ATTEMPTS)).models(CALLER)


@pytest.mark.parametrize("data", [{"a": 1}, ["a"], "text", 1])
async def test_a_list_without_objects(data: object) -> None:
    upstream = ScriptedUpstream(answer({"data": data}))
    with pytest.raises(UpstreamError):
        await client(upstream).list(CALLER, "files")
    assert upstream.done


async def test_a_compressed_answer_is_refused_as_such() -> None:
    upstream = ScriptedUpstream(*[answer(b"x", headers={"Content-Encoding": "gzip"})] * ATTEMPTS)
    with pytest.raises(UpstreamError, match="compressed its answer"):
        await client(upstream).get(CALLER, "files/a")


async def test_compressed_content_is_not_passed_on() -> None:
    upstream = ScriptedUpstream(*[answer(b"x", headers={"Content-Encoding": "gzip"})] * ATTEMPTS)
    with pytest.raises(UpstreamError):
        await client(upstream).open(CALLER, "files/a/content")
    assert upstream.done


@pytest.mark.parametrize("http", [200, 201, 202])
async def test_a_server_that_only_speaks_the_api_may_say_created(http: int) -> None:
    upstream = ScriptedUpstream(answer({"id": "file-a"}, http))
    assert (await client(upstream).post(CALLER, "files")).id == "file-a"


@pytest.mark.parametrize(
    ("http", "status"),
    [
        (204, Status.UNAVAILABLE),
        (302, Status.UNAVAILABLE),
        (400, Status.INVALID_ARGUMENT),
        (401, Status.UNAUTHENTICATED),
        (403, Status.PERMISSION_DENIED),
        (404, Status.NOT_FOUND),
        (408, Status.DEADLINE_EXCEEDED),
        (409, Status.ABORTED),
        (413, Status.INVALID_ARGUMENT),
        (429, Status.RESOURCE_EXHAUSTED),
        (500, Status.UNAVAILABLE),
        (502, Status.UNAVAILABLE),
        (504, Status.DEADLINE_EXCEEDED),
    ],
)
async def test_a_refusal_in_our_words(http: int, status: Status) -> None:
    error = await refusal(http, {"error": {"message": "no", "code": "c", "type": "t"}})
    assert (error.status, error.message) == (status, "provider: no")
    assert (error.provider, error.reason, error.request_id) == ("provider", "c", "req_1")
    assert (error.upstream_status, error.retry_after) == (http, "7")


async def test_an_id_that_the_server_cannot_read_is_of_no_object() -> None:
    upstream = ScriptedUpstream(*(answer({"detail": "not a UUID"}, 422) for _ in range(3)))
    ours = client(upstream)
    for call in (
        ours.get(CALLER, "files/a"),
        ours.delete(CALLER, "files/a"),
        ours.open(CALLER, "files/a/content"),
    ):
        with pytest.raises(NotFound, match=r"^provider: nothing has this name: not a UUID$"):
            await call
    assert upstream.done


async def test_refused_arguments_are_no_missing_object() -> None:
    upstream = ScriptedUpstream(*(answer({"detail": "no"}, 422) for _ in range(2)))
    ours = client(upstream)
    for call in (ours.get(CALLER, "files", limit=0), ours.post(CALLER, "batches", {})):
        with pytest.raises(FerryError, match=r"^provider: no$") as caught:
            await call
        assert caught.value.status == Status.INVALID_ARGUMENT
    assert upstream.done


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"error": "no such model"}, None),
        ({"object": "error", "message": "no such model", "type": "NotFoundError"}, "NotFoundError"),
        ({"detail": "no such model"}, None),
    ],
)
async def test_a_refusal_in_another_servers_format(document: object, reason: str | None) -> None:
    error = await refusal(404, document)
    assert (error.message, error.reason) == ("provider: no such model", reason)


@pytest.mark.parametrize(
    ("http", "error"),
    [
        (402, {}),
        (403, {"type": "no_money"}),
        (429, {"code": "no_money", "type": "requests"}),
    ],
)
async def test_an_account_without_credit_is_a_permanent_error(
    http: int, error: dict[str, object]
) -> None:
    refused = await refusal(http, {"error": {"message": "Check your plan.", **error}})
    assert (refused.status, refused.code) == (Status.FAILED_PRECONDITION, 400)
    assert (refused.permanent, refused.retry_after) == (True, None)
    assert refused.message == "provider: Check your plan."
    assert refused.upstream_status == http
    assert not outcome_unknown(refused)


async def test_milliseconds_to_wait_are_read() -> None:
    """OpenAI also sends them."""
    slow = answer({"error": {}}, 429, {"retry-after-ms": "6400"})
    with pytest.raises(FerryError) as caught:
        await client(ScriptedUpstream(slow)).ask(CALLER, "chat", b"{}")
    assert caught.value.retry_after == "7"


UNSENT = Failure(UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True))
LATE = Failure(UpstreamError(Status.DEADLINE_EXCEEDED, "no connection in time", unsent=True))
CUT = Failure(UpstreamError(Status.UNAVAILABLE, "closed the connection"))


async def test_a_prompt_that_was_not_sent_is_sent_again() -> None:
    upstream = ScriptedUpstream(UNSENT, LATE, answer({"id": "a"}))
    assert await client(upstream).ask(CALLER, "chat", b"{}") == b'{"id":"a"}'
    assert upstream.done


@pytest.mark.parametrize("failure", [CUT, answer({}, 429), answer({}, 503)])
async def test_a_prompt_that_may_have_arrived_is_sent_once(failure: Any) -> None:
    upstream = ScriptedUpstream(failure)
    with pytest.raises(FerryError):
        await client(upstream).ask(CALLER, "chat", b"{}")
    assert len(upstream.sent) == 1


@pytest.mark.parametrize("http", [405, 501])
async def test_a_call_that_the_upstream_does_not_serve(http: int) -> None:
    error = await refusal(http, {"error": {"message": "no", "code": "c"}})
    assert (error.status, error.code, error.permanent) == (Status.UNIMPLEMENTED, 501, True)
    assert error.message == "provider: this upstream does not serve the call: no"
    assert (error.upstream_status, error.reason) == (http, "c")
    assert not outcome_unknown(error)


@pytest.mark.parametrize("header", ["x-request-id", "request-id"])
async def test_the_request_id_of_a_refusal(header: str) -> None:
    upstream = ScriptedUpstream(answer({}, 404, {header: "req_2"}))
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value.request_id == "req_2"


async def test_the_id_of_a_call_in_a_providers_own_header() -> None:
    upstream = ScriptedUpstream(answer({}, 404, {"x-request-id": "no", "own-id": "req_3"}))
    own = JsonApi("provider", BASE, upstream, lambda _: {}, frozenset(), ("first-id", "own-id"))
    with pytest.raises(FerryError) as caught:
        await own.get(CALLER, "files/a")
    assert caught.value.request_id == "req_3"


@pytest.mark.parametrize(
    "document", [b"", b"<html>", [], {}, {"error": None}, {"error": []}, b"x" * (65 << 10)]
)
async def test_a_refusal_without_a_message(document: object) -> None:
    error = await refusal(404, document)
    assert (error.status, error.message, error.reason) == (
        Status.NOT_FOUND,
        "provider: HTTP status 404 without a reason: check the BASE_URL",
        None,
    )


async def test_a_redirect_hints_at_the_address() -> None:
    error = await refusal(302, b"<html>")
    assert (error.status, error.upstream_status) == (Status.UNAVAILABLE, 302)
    assert error.message == (
        "provider: HTTP status 302, a redirect, which is not followed: check the BASE_URL"
    )


async def test_an_echoed_key_is_removed() -> None:
    echo = {"error": {"message": "Incorrect: sk-secret.", "type": "bad sk-secret"}}
    error = await refusal(401, echo)
    assert (error.message, error.reason) == ("provider: Incorrect: ***.", "bad ***")
    upstream = ScriptedUpstream(answer(echo, 401, {"x-request-id": "req-sk-secret"}))
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value.request_id == "req-***"
    error = await refusal(401, echo, Caller(Credential(), "tenant"))
    assert error.message == "provider: Incorrect: sk-secret."


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (UpstreamError(Status.UNAVAILABLE, "broke off"), True),
        (UpstreamError(Status.DEADLINE_EXCEEDED, "silent"), True),
        (UpstreamError(Status.UNAVAILABLE, "refused", unsent=True), False),
        (FerryError(Status.UNAVAILABLE, "500"), True),
        (FerryError(Status.DEADLINE_EXCEEDED, "504"), True),
        (FerryError(Status.INVALID_ARGUMENT, "400"), False),
        (FerryError(Status.RESOURCE_EXHAUSTED, "429"), False),
        (StateError(Status.UNAVAILABLE, "the body could not be read"), False),
    ],
)
def test_errors_after_which_the_outcome_is_unknown(error: FerryError, unknown: bool) -> None:
    assert outcome_unknown(error) is unknown


async def test_an_upstream_that_fails_says_so_itself() -> None:
    failure = UpstreamError(Status.UNAVAILABLE, "x", unsent=True)
    upstream = ScriptedUpstream(*[Failure(failure)] * ATTEMPTS)
    with pytest.raises(UpstreamError) as caught:
        await client(upstream).get(CALLER, "files/a")
    assert caught.value is failure
