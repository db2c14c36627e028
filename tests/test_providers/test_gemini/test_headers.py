from providers.credential import Caller, Credential
from providers.gemini.headers import PASSED, SCOPING, relayed, started

INTERNAL = {
    "X-Model-Provider": "gemini",
    "x-ferry-idempotency-key": "k",
    "Cookie": "c",
    "Forwarded": "for=1.2.3.4",
    "X-Forwarded-For": "1.2.3.4",
    "Host": "localhost",
    "Connection": "keep-alive",
    "Transfer-Encoding": "chunked",
    "Content-Length": "3",
    "Expect": "100-continue",
    "x-goog-api-key": "smuggled",
    "Authorization": "Basic smuggled",
    "X-HTTP-Method-Override": "DELETE",
}
SENT = {
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "x-goog-api-client": "google-genai-sdk/3.4.0",
    "X-Server-Timeout": "5",
    "Range": "bytes=0-9",
    "X-Goog-Upload-Protocol": "raw",
    "x-goog-user-project": "p",
}


def caller(**credential: str) -> Caller:
    return Caller(Credential(**credential), "tenant", {"user-agent": "sdk", "range": "bytes=0-9"})


def test_only_listed_calls_are_relayed() -> None:
    headers = relayed(caller(api_key="KEY"), INTERNAL | SENT)
    expected = {name.lower(): value for name, value in SENT.items()}
    assert headers == expected | {"x-goog-api-key": "KEY"}


def test_each_credential_has_its_own_header() -> None:
    assert relayed(caller(bearer="B"), {}) == {"authorization": "Bearer B"}
    assert relayed(caller(), INTERNAL) == {}
    both = relayed(caller(api_key="KEY", bearer="B"), {})
    assert both == {"x-goog-api-key": "KEY", "authorization": "Bearer B"}


def test_a_start_has_the_callers_context_but_not_its_content() -> None:
    headers = started(caller(api_key="KEY"), {"X-Goog-Upload-Command": "start"})
    assert headers == {
        "user-agent": "sdk",
        "X-Goog-Upload-Command": "start",
        "x-goog-api-key": "KEY",
    }


def test_the_lists_are_in_lower_case_and_have_no_credential() -> None:
    assert all(name == name.lower() for name in PASSED)
    assert PASSED.isdisjoint({"x-goog-api-key", "authorization", "cookie", "x-model-provider"})
    assert SCOPING <= PASSED
