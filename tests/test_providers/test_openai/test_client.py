import pytest

from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.answering import answer
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream
from tests.test_providers.test_openai_content.answering import BASE, CALLER, client


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


async def test_a_refusal_has_the_configured_name() -> None:
    headers = {"x-request-id": "req_1", "retry-after": "7"}
    document = {"error": {"message": "Incorrect: sk-secret.", "code": None, "type": "t"}}
    upstream = ScriptedUpstream(answer(document, 401, headers))
    with pytest.raises(FerryError) as caught:
        await client(upstream).get(CALLER, "files/a")
    error = caught.value
    assert (error.status, error.message) == (Status.UNAUTHENTICATED, "openai: Incorrect: ***.")
    assert (error.provider, error.reason, error.request_id) == ("openai", "t", "req_1")
    assert (error.upstream_status, error.retry_after) == (401, "7")
