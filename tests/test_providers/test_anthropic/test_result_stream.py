import pytest

from providers.anthropic.result_stream import AnthropicResultLines
from providers.errors import FerryError
from providers.json_api import Answer
from providers.json_lines import ResultSplitter
from providers.memory import MemoryBudget
from providers.request_table import indexed_id
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import BASE, CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

JOB = "0123456789abcdef" * 2
URL = f"{BASE}/v1/messages/batches/msgbatch_A/results"


def results(upstream: ScriptedUpstream, **batch: object) -> AnthropicResultLines:
    splitter = ResultSplitter(1000, MemoryBudget())
    native = Answer({"id": "msgbatch_A", "processing_status": "ended", "results_url": URL} | batch)
    return AnthropicResultLines(client(upstream), CALLER, native, splitter)


async def test_lines_come_from_where_anthropic_says() -> None:
    upstream = ScriptedUpstream(answer(b'{"a":1}\n\n{"b":2}'))
    lines = [line async for slice_ in results(upstream).slices() for line in slice_]
    assert lines == [b'{"a":1}', b'{"b":2}']
    assert str(upstream.sent[0].request.url) == URL
    assert upstream.done


@pytest.mark.parametrize("url", [None, 7, ["x"]])
async def test_results_that_are_nowhere(url: object) -> None:
    with pytest.raises(FerryError) as caught:
        await anext(results(ScriptedUpstream(), results_url=url).slices())
    assert caught.value.status == "NOT_FOUND"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.test/x",
        "http://api.anthropic.test/x",
        "https://api.anthropic.test:8443/x",
        "https://api.anthropic.test@elsewhere.test/x",
        "https://api.anthropic.test.elsewhere.test/x",
        "//api.anthropic.test/x",
        "/v1/x",
        "",
        "https://[/x",
    ],
)
async def test_results_of_another_origin_are_not_asked_for(url: str) -> None:
    upstream = ScriptedUpstream()
    with pytest.raises(FerryError) as caught:
        await anext(results(upstream, results_url=url).slices())
    assert (caught.value.status, upstream.sent) == ("UNAVAILABLE", [])


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
