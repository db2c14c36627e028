"""Header values that no honest client sends, and valid ones that look like it (Latin-1)."""

import pytest

from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    START,
    Headers,
    RunningProxy,
)

GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
FILES = "/genai/v1/files"
INLINE = (
    b'{"batch":{"inputConfig":{"requests":{"requests":'
    b'[{"request":{"contents":[{"parts":[{"text":"a"}]}]}}]}}}}'
)

# --- header values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", [b"sk-\xe9-secret", "sk-\u00e9-secret", b"sk secret", b"sk\tsecret"]
)
@pytest.mark.parametrize("header", ["x-goog-api-key", "Authorization"])
async def test_a_key_with_invalid_characters_is_refused(
    proxy: RunningProxy, header: str, key: str | bytes
) -> None:
    raw = key if isinstance(key, bytes) else key.encode()
    value = b"Bearer " + raw if header == "Authorization" else raw
    message = (await proxy.ask("GET", FILES, {header: value})).refused(401, "UNAUTHENTICATED")
    assert "secret" not in message


@pytest.mark.parametrize("query", ["?key=a%0d%0ab", "?key=a%00b", "?key=%C3%A9", "?key=a+b"])
async def test_a_key_in_the_query_has_the_same_rules(proxy: RunningProxy, query: str) -> None:
    answer = await proxy.ask("GET", FILES + query, {"x-goog-api-key": ""})
    answer.refused(401, "UNAUTHENTICATED")


@pytest.mark.parametrize("named", [b"\xe9", "gemini,openai", "../openai", "o" * 9000, "\u0661"])
async def test_an_unknown_provider_is_refused(proxy: RunningProxy, named: str | bytes) -> None:
    answer = await proxy.ask("GET", FILES, {"x-model-provider": named})
    message = answer.refused(400, "INVALID_ARGUMENT")
    assert len(message) < 200
    assert "gemini, mistral, openai" in message


@pytest.mark.parametrize("named", [" OpenAI\t", "OPENAI", ""])
async def test_a_provider_matches_without_case_and_space(proxy: RunningProxy, named: str) -> None:
    headers = {"x-model-provider": named} | ({} if named else {"x-goog-api-key": GEMINI_KEY})
    assert (await proxy.ask("GET", FILES, headers)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "X-Goog-Upload-File-Name",
        "X-Goog-Upload-Header-Content-Type",
        "openai-organization",
        "X-Unread",
    ],
)
@pytest.mark.parametrize("value", [b"r\xe9sum\xe9", "r\u00e9sum\u00e9", b"\xff\xfe"])
async def test_header_bytes_beyond_ascii_start_an_upload(
    proxy: RunningProxy, header: str, value: str | bytes
) -> None:
    headers: dict[str, str | bytes] = {header: value, "X-Goog-Upload-Protocol": "resumable"}
    answer = await proxy.ask("POST", START, headers, b"{}")
    assert (answer.status, answer.headers["x-goog-upload-status"]) == (200, "active")


@pytest.mark.parametrize("value", [b"r\xe9sum\xe9", "r\u00e9sum\u00e9"])
async def test_a_latin_1_file_name_is_decoded(proxy: RunningProxy, value: str | bytes) -> None:
    headers: dict[str, str | bytes] = {
        "X-Goog-Upload-File-Name": value,
        "X-Goog-Upload-Protocol": "raw",
    }
    answer = await proxy.ask("POST", START, headers, b"x")
    assert answer.document["file"]["displayName"] == "r\u00e9sum\u00e9"


@pytest.mark.parametrize("key", [b"\xe9", "\u00e9"])
async def test_an_idempotency_key_may_be_any_bytes(proxy: RunningProxy, key: str | bytes) -> None:
    headers = {"x-ferry-idempotency-key": key}
    first = await proxy.ask("POST", BATCHES, headers, INLINE)
    again = await proxy.ask("POST", BATCHES, headers, INLINE)
    assert first.status == again.status == 200
    assert first.document["name"] == again.document["name"]


async def test_an_empty_idempotency_key_is_ignored(proxy: RunningProxy) -> None:
    headers = {"x-ferry-idempotency-key": ""}
    first = await proxy.ask("POST", BATCHES, headers, INLINE)
    again = await proxy.ask("POST", BATCHES, headers, INLINE)
    assert first.document["name"] != again.document["name"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Goog-Upload-Command", b"\xff"),
        ("X-Goog-Upload-Protocol", b"\xff"),
        ("X-Goog-Upload-Header-Content-Length", b"\xff"),
        ("X-Goog-Upload-Header-Content-Length", "-1"),
        ("X-Goog-Upload-Header-Content-Length", "9223372036854775808"),
        ("X-Goog-Upload-Header-Content-Length", "\u0663"),
        ("x-ferry-openai-purpose", b"\xff"),
        ("Content-Encoding", "gzip"),
    ],
)
async def test_a_start_with_an_invalid_header_is_refused(
    proxy: RunningProxy, header: str, value: str | bytes
) -> None:
    answer = await proxy.ask("POST", START, {header: value}, b"{}")
    answer.refused(400, "INVALID_ARGUMENT")
    assert answer.headers["x-goog-upload-status"] == "final"


@pytest.mark.parametrize("mime_type", ["a\\r\\nx-goog-api-key: b", "a\\u0000b"])
async def test_a_content_type_cannot_inject_a_header_at_google(
    proxy: RunningProxy, mime_type: str
) -> None:
    body = f'{{"file":{{"mimeType":"{mime_type}"}}}}'.encode()
    (await proxy.ask("POST", START, GEMINI, body)).refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.gemini) == []


# --- hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize(
    "host", [b"\xe9", "a b", "a/../b", "a@b", "a:x", "a:\u0663", "a\tb", '"><script>', "[::1"]
)
async def test_an_upload_url_never_has_an_invalid_host(
    proxy: RunningProxy, header: str, host: str | bytes
) -> None:
    answer = await proxy.ask("POST", START, {header: host}, b"{}")
    answer.refused(400, "INVALID_ARGUMENT")
    assert "x-goog-upload-url" not in answer.headers


async def test_nothing_is_created_for_a_client_whose_address_is_unknown(
    proxy: RunningProxy,
) -> None:
    headers = {"Host": "a b", "X-Goog-Upload-Protocol": "raw"}
    (await proxy.ask("POST", START, headers, b"x")).refused(400, "INVALID_ARGUMENT")
    assert await proxy.upstream_requests(proxy.openai) == []


async def test_a_command_that_is_not_unicode_is_refused(proxy: RunningProxy) -> None:
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    answer = await proxy.ask("POST", target, {"X-Goog-Upload-Command": b"\xff"}, b"x")
    message = answer.refused(400, "INVALID_ARGUMENT")
    assert message.startswith("unknown X-Goog-Upload-Command (\\udcff)")


async def test_nothing_is_finalized_for_a_client_whose_address_is_unknown(
    proxy: RunningProxy,
) -> None:
    started = await proxy.ask("POST", START, {}, b"{}")
    target = started.headers["x-goog-upload-url"].removeprefix("http://ferry.test")
    command = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    bad = await proxy.ask("POST", target, {**command, "Host": "a b"}, b"x")
    bad.refused(400, "INVALID_ARGUMENT")
    assert await proxy.posted(proxy.openai) == []
    good = await proxy.ask("POST", target, command, b"x")
    assert (good.status, good.headers["x-goog-upload-status"]) == (200, "final")
