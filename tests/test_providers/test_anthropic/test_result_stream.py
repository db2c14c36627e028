import pytest

from providers.anthropic.result_stream import AnthropicResultLines
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import indexed_id
from providers.json_api.client import Answer
from providers.memory import MemoryBudget
from providers.status import Status
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

JOB = "0123456789abcdef" * 2
URL = f"{BASE}/v1/messages/batches/msgbatch_A/results"


def results(upstream: ScriptedUpstream, **batch: object) -> AnthropicResultLines:
    splitter = ResultSplitter(1000, MemoryBudget())
    native = Answer({"id": "msgbatch_A", "processing_status": "ended", "results_url": URL} | batch)
    return AnthropicResultLines(client(upstream), CALLER, native, splitter)


async def test_lines_come_from_the_configured_address() -> None:
    upstream = ScriptedUpstream(answer(b'{"a":1}\n\n{"b":2}'))
    lines = [line async for slice_ in results(upstream).slices() for line in slice_]
    assert lines == [b'{"a":1}', b'{"b":2}']
    assert str(upstream.sent[0].request.url) == URL
    assert upstream.done


@pytest.mark.parametrize("url", [None, ""])
async def test_results_that_anthropic_no_longer_keeps(url: str | None) -> None:
    upstream = ScriptedUpstream()
    lines = results(upstream, results_url=url)
    assert [slice_ async for slice_ in lines.slices()] == []
    assert lines.missing(1).status == Status.NOT_FOUND
    assert upstream.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/x",
        "http://api.anthropic.test/x",
        "https://api.anthropic.test@elsewhere.test/x",
        "//api.anthropic.test/x",
        "/v1/x",
        "https://[/x",
        7,
    ],
)
async def test_the_url_from_anthropic_is_never_called(url: object) -> None:
    """It may be relative, or name another host, which would then get the key."""
    upstream = ScriptedUpstream(answer(b'{"a":1}'))
    assert await anext(results(upstream, results_url=url).slices())
    assert [str(sent.request.url) for sent in upstream.sent] == [URL]


@pytest.mark.parametrize(
    ("text", "job"),
    [
        (b'{"custom_id": "%s"}\nmore' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s"}' % indexed_id(3).encode(), None),
        (b'{"custom_id": "somebody\'s"}', None),
        (b'{"custom_id": 7}', None),
        (b'{"custom_id": 7}\n{"custom_id": "%s"}' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s", "result": ' % indexed_id(3, JOB).encode(), JOB),
        (b'{"custom_id": "%s", "result": "' % indexed_id(3, JOB).encode() + b"m" * (2 << 20), JOB),
        (b'"text"', None),
        (b"[1]", None),
        (b"no json", None),
        (b"", None),
    ],
)
async def test_the_results_name_the_job(text: bytes, job: str | None) -> None:
    upstream = ScriptedUpstream(answer(text))
    assert await results(upstream).job_id() == job
    assert upstream.done
