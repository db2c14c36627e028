"""Relayed responses stay unchanged, without the headers of one connection."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from providers.body import Body, once
from providers.resources import Download
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    body_of,
    multi,
    running_chain,
    scripted_provider,
)
from tests.test_providers.streams import Watched

KEY = {"x-goog-api-key": "AIza-secret"}
PATH = "/genai/v1beta/models/m:generateContent"
HOP_BY_HOP = (
    ("Connection", "X-Hop"), ("Keep-Alive", "timeout=9"), ("Proxy-Authenticate", "Basic"),
    ("Proxy-Connection", "close"), ("TE", "gzip"), ("Trailer", "X-T"), ("Upgrade", "h2c"),
    ("Set-Cookie", "a=b"), ("Alt-Svc", "h3"), ("Server", "ESF"), ("X-Hop", "1"),
    ("NEL", "{}"), ("Report-To", "{}"), ("Reporting-Endpoints", 'a="http://evil.test/"'),
    ("Link", "<http://evil.test/>; rel=next"), ("Refresh", "0; url=http://evil.test/"),
    ("Access-Control-Allow-Origin", "*"), ("access-control-expose-headers", "vary"),
)  # fmt: skip


async def test_a_relayed_answer_is_unchanged() -> None:
    headers = multi(
        ("Content-Type", "text/event-stream"),
        ("Content-Encoding", "gzip"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
        ("X-Goog-Upload-URL", "u"),
    )
    reply = ScriptedReply(429, headers, b"\x1f\x8bwhatever")
    relay = Scripted(lambda *_: reply)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.post(PATH, headers=KEY, data=b"\xff\x00") as answer:
            assert (answer.status, await answer.read()) == (429, b"\x1f\x8bwhatever")
            assert answer.headers.getall("X-Twice") == ["1", "2"]
            assert {k: answer.headers[k] for k in headers} == dict(headers.items()) | {
                "X-Twice": "1"
            }
    assert reply.closed


async def test_headers_of_one_connection_are_not_passed_on() -> None:
    reply = ScriptedReply(200, multi(*HOP_BY_HOP, ("Content-Length", "2")))
    relay = Scripted(lambda *_: reply)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.post(PATH, headers=KEY) as answer:
            kept = {name.lower() for name in answer.headers}
            assert await answer.read() == b"{}"
    assert not kept & {name.lower() for name, _ in HOP_BY_HOP if name != "Server"}


async def test_all_headers_that_connection_names_are_removed() -> None:
    named = multi(("Connection", "x-a"), ("Connection", "close, X-B"), ("X-A", "1"), ("X-B", "2"))
    relay = Scripted(lambda *_: ScriptedReply(200, named))
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.post(PATH, headers=KEY) as answer:
            assert not {"x-a", "x-b"} & {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("\udcff", "\u00ff"),
        ("caf\udce9", "caf\u00e9"),
        ("caf\u00e9", "caf\u00e9"),
        ("a\x01b", "a b"),
    ],
)
async def test_headers_with_any_bytes_are_relayed(value: str, sent: str) -> None:
    reply = ScriptedReply(200, multi(("x-request-id", value), ("X-Twice", value), ("X-Twice", "2")))
    relay = Scripted(lambda *_: reply)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.post(PATH, headers=KEY) as answer:
            assert (answer.status, await answer.read()) == (200, b"{}")
            assert answer.headers.getall("X-Twice") == [sent, "2"]


async def redirected(*locations: str, status: int = 302) -> tuple[int, str | None]:
    """What a client gets for a redirect; `{ours}` in a location is the proxy's own address."""
    reply = ScriptedReply()
    relay = Scripted(lambda *_: reply)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        ours = str(client.make_url("/genai"))
        named = [("Location", location.replace("{ours}", ours)) for location in locations]
        reply.status, reply.headers, reply.body = status, multi(*named), b""
        async with client.get("/genai/v1beta/files", headers=KEY, allow_redirects=False) as answer:
            await answer.read()
            found = answer.headers.get("Location")
            return answer.status, found and found.replace(ours, "{ours}")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "locations",
    [
        ["http://evil.test/"],
        ["//evil.test/x"],
        ["https://generativelanguage.googleapis.com/v1/files/a"],
        ["/v1/files/a"],
        ["files/a"],
        [""],
        ["{ours}.evil.test/"],
        ["{ours}@evil.test/"],
        ["{ours}/v1/files/a", "http://evil.test/"],
    ],
)
async def test_a_redirect_away_from_the_proxy_is_not_passed_on(
    status: int, locations: list[str]
) -> None:
    """The client would send its key, or its client token, to the other server."""
    assert await redirected(*locations, status=status) == (503, None)


async def test_a_redirect_to_the_proxy_itself_is_passed_on() -> None:
    assert await redirected("{ours}/v1/files/a") == (302, "{ours}/v1/files/a")


@pytest.mark.parametrize("status", [304, 308])
async def test_an_answer_without_an_address_is_passed_on(status: int) -> None:
    """Google's older upload protocol answers 308 while an upload is not finished."""
    assert await redirected(status=status) == (status, None)


async def test_a_relayed_request_is_unchanged_except_for_the_key() -> None:
    bodies = []

    class Reading(Scripted):
        async def relay(self, *arguments: object) -> ScriptedReply:
            self.calls.append(("relay", *arguments))
            bodies.append(await body_of(self.relayed))
            return ScriptedReply()

    relay = Reading(lambda *_: None)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        target = f"{PATH}?alt=sse&key=AIza-secret&$fields=a%2Fb"
        await client.post(URL(target, encoded=True), data=b'{"not": "parsed"')
    assert str(relay.relayed.target) == "/v1beta/models/m:generateContent?alt=sse&$fields=a%2Fb"
    assert bodies == [b'{"not": "parsed"']
    assert relay.caller.credential.api_key == "AIza-secret"


async def test_a_body_that_breaks_off_upstream_breaks_off_for_the_client() -> None:
    failure = UpstreamError(Status.UNAVAILABLE, "gone")
    for headers in ({}, {"Content-Length": "100"}):
        reply = ScriptedReply(200, headers, b"half", failure)
        relay = Scripted(lambda *_, reply=reply: reply)
        async with running_chain(scripted_provider("gemini", relay=relay)) as client:
            async with client.post(PATH, headers=KEY) as answer:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()
        assert reply.closed


@pytest.mark.parametrize("length", [4, None])
async def test_a_download_is_streamed_and_closed(length: int | None) -> None:
    closed = []

    async def close() -> None:
        closed.append(True)

    download = Download(Body(once(b"data"), length), "application/jsonl", close)
    files = Scripted(lambda *_: download)
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get("/genai/v1/files/file-1:download?alt=media", headers=KEY) as answer:
            assert await answer.read() == b"data"
            assert answer.content_type == "application/jsonl"
            assert answer.content_length == length
    assert closed == [True]


async def test_a_chunk_that_was_sent_is_not_kept_while_the_next_is_waited_for() -> None:
    source = Watched()

    async def close() -> None:
        pass

    download = Download(Body(source.chunks(), source.SIZE), "application/jsonl", close)
    files = Scripted(lambda *_: download)
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get("/genai/v1/files/file-1:download?alt=media", headers=KEY) as answer:
            assert await answer.read() == bytes(source.SIZE)
    assert (source.read, source.kept) == (source.SIZE, [])


async def test_a_download_without_a_body_for_head() -> None:
    reply = ScriptedReply(200, {"Content-Length": "9"}, b"never sent")
    relay = Scripted(lambda *_: reply)
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.head("/genai/v1beta/files/a", headers=KEY) as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "9")
    assert reply.closed
    assert relay.relayed.method == "GET", "Google's API knows no HEAD"


@pytest.mark.parametrize("length", [1 << 40, None])
async def test_the_head_of_a_download_reads_nothing_upstream(length: int | None) -> None:
    read, closed = [], []

    async def chunks() -> AsyncIterator[bytes]:
        read.append(True)
        yield b"never read"

    async def close() -> None:
        closed.append(True)

    download = Download(Body(chunks(), length), "application/jsonl", close)
    files = Scripted(lambda *_: download)
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.head("/genai/v1/files/file-1:download?alt=media", headers=KEY) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.content_type == "application/jsonl"
            assert answer.content_length == length
        async with client.get("/genai/v1/nothing", headers=KEY) as answer:
            assert answer.status == 501, "the connection is still good"
    assert (read, closed) == ([], [True])


@pytest.mark.parametrize("path", ["v1beta/a%0ab", "v1beta/%00", "v1beta/a%2Fb:c", "v1beta/%C3%A9"])
async def test_a_relayed_path_keeps_its_encoding(path: str) -> None:
    relay = Scripted(lambda *_: ScriptedReply())
    async with running_chain(scripted_provider("gemini", relay=relay)) as client:
        async with client.get(URL(f"/genai/{path}", encoded=True), headers=KEY) as answer:
            assert answer.status == 200
    assert relay.relayed.target.raw_path_qs == f"/{path}"
