"""Everything that is whole in memory has a limit, which is a setting."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import OPENAI, FakeClient
from tests.processes import proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

RESULT_BYTES = 2_000
BODY_BYTES = 10_000
LINE_BYTES = 1_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def narrow(
    ferry: Ferry, tmp_path_factory: pytest.TempPathFactory, http: ClientSession
) -> AsyncIterator[BatchClient]:
    """A proxy with small limits in front of the same upstreams."""
    limits = {
        "FERRY_INLINE_RESULT_BYTES": str(RESULT_BYTES),
        "FERRY_INLINE_MAX_BYTES": str(BODY_BYTES),
        "FERRY_MAX_LINE_BYTES": str(LINE_BYTES),
    }
    async with proxy(tmp_path_factory.mktemp("narrow"), ferry.upstreams, limits) as process:
        yield BatchClient(f"{process.url}/genai", OPENAI, http)


@pytest.fixture
def client(narrow: BatchClient, openai: FakeClient) -> BatchClient:
    return narrow


async def test_inline_results_beyond_the_limit_are_a_file(client: BatchClient) -> None:
    few, many = (
        inline(*({"request": asking(f"q{n}"), "metadata": {"n": str(n)}} for n in range(count)))
        for count in (2, 40)
    )

    small = await client.ended((await client.create(few)).ok["name"])
    large = await client.ended((await client.create(many)).ok["name"])

    assert list(small["metadata"]["output"]) == ["inlinedResponses"]
    assert list(large["metadata"]["output"]) == ["responsesFile"]
    results = by_key(await client.results(large))
    assert {key: text_of(one) for key, one in results.items()} == {
        str(n + 1): f"echo: q{n}" for n in range(40)
    }


async def test_a_body_beyond_the_limit_is_refused(client: BatchClient, openai: FakeClient) -> None:
    refused = await client.create(inline({"request": asking("x" * BODY_BYTES)}))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert "FERRY_INLINE_MAX_BYTES" in refused.message
    assert await openai.requests() == []


async def test_a_line_beyond_the_limit_is_refused_with_its_number(
    client: BatchClient, openai: FakeClient
) -> None:
    lines = [gemini_line("a", "short"), gemini_line("b", "x" * LINE_BYTES)]
    name = await client.upload_lines(lines)

    refused = await client.create(from_file(name))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert "line 2" in refused.message
    objects = await openai.objects()
    assert (len(objects["files"]), objects["batches"]) == (1, [])
