"""HEAD answers like GET, without the body, for every GET."""

from collections.abc import Sequence

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking, from_file, gemini_line, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

# These differ from answer to answer, but for the last one, which describes how the body is sent.
NOT_COMPARED = {"Date", "X-Request-ID", "x-ferry-request-id", "Transfer-Encoding"}


async def same_as_get(client: BatchClient, paths: Sequence[str]) -> None:
    for path in paths:
        got = await client.call("GET", path)
        head = await client.call("HEAD", path)
        assert (head.code, head.content) == (got.code, b""), path
        named = [
            {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
            for answer in (got, head)
        ]
        assert named[1] == named[0], path
        declared = head.headers.get("Content-Length")
        assert declared in (None, str(len(got.content))), path


async def test_for_files_and_batches(fake: FakeClient, ferry: Ferry, http: ClientSession) -> None:
    client = BatchClient(ferry.base_url, fake.kind, http)
    name = await client.upload_lines([gemini_line("a key", "a question")])
    from_a_file = (await client.create(from_file(name))).ok["name"]
    inlined = (await client.create(inline({"request": asking("a question")}))).ok["name"]
    ended = await client.ended(from_a_file)
    await client.ended(inlined)
    results = ended["metadata"]["output"]["responsesFile"]

    await same_as_get(
        client,
        [
            "v1beta/files",
            "v1beta/batches",
            f"v1beta/{name}",
            f"v1beta/{name}:download?alt=media",
            f"download/v1beta/{results}:download?alt=media",
            f"v1beta/{from_a_file}",
            f"v1beta/{inlined}",
            "v1beta/files/no-such-file",
            "v1beta/batches/no-such-batch",
            "v1beta/nothing",
        ],
    )


async def test_for_health(ferry: Ferry, http: ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with http.get(f"{ferry.proxy.url}{path}") as got:
            body = await got.read()
        async with http.head(f"{ferry.proxy.url}{path}") as head:
            assert (head.status, await head.read()) == (200, b"")
            assert head.headers["Content-Length"] == str(len(body))
