"""Every provider's translation keeps numbers exact, and content in one line."""

import json
from collections.abc import Callable

import pytest

from providers.anthropic.batch_lines import AnthropicTranslator, BatchItems
from providers.batches.batch_results import Result, render_inline
from providers.batches.line_formats import GeminiLines, LineFormat, parse_line
from providers.batches.request_table import RequestTable, RowKind
from providers.batches.result_lines import parse_result
from providers.bedrock.answers import render_result
from providers.bedrock.content.batch_lines import BedrockTranslator
from providers.bedrock.content.bedrock_models import InvocationType
from providers.errors import FerryError
from providers.mistral.batch_lines import MistralTranslator
from providers.openai.batch_lines import OpenAITranslator
from providers.resources import BatchKind, NewBatch
from providers.status import Status

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
LARGE = 2**64 + 1
BREAKS = "a\u2028b\u2029c\u0085d"
TEXT = json.dumps(
    {
        "key": BREAKS,
        "request": {
            "contents": [
                {"role": "user", "parts": [{"text": BREAKS}]},
                {
                    "role": "model",
                    "parts": [{"functionCall": {"id": "c1", "name": "f", "args": {"n": LARGE}}}],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "c1", "name": "f", "response": {"n": -LARGE}}}
                    ],
                },
            ],
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "parametersJsonSchema": {
                                "type": "object",
                                "properties": {"n": {"type": "integer", "maximum": LARGE}},
                            },
                        }
                    ]
                }
            ],
        },
    },
    ensure_ascii=False,
).encode()


def bedrock(invocation: InvocationType) -> GeminiLines:
    return GeminiLines(BedrockTranslator(CLAUDE, BatchKind.GENERATE, invocation, lambda *_: None))


TRANSLATED: dict[str, Callable[[], LineFormat]] = {
    "openai": lambda: GeminiLines(OpenAITranslator("gpt-4o", BatchKind.GENERATE)),
    "anthropic": lambda: GeminiLines(AnthropicTranslator("claude", "0" * 32, BatchItems(), 4096)),
    "mistral": lambda: GeminiLines(MistralTranslator(NewBatch("m", BatchKind.GENERATE, []))),
    "bedrock, Converse": lambda: bedrock(InvocationType.CONVERSE),
    "bedrock, InvokeModel": lambda: bedrock(InvocationType.INVOKE_MODEL),
}


@pytest.mark.parametrize("lines", TRANSLATED.values(), ids=TRANSLATED)
def test_a_request_in_geminis_form(lines: Callable[[], LineFormat]) -> None:
    sent, row = lines().read(0, 1, parse_line(1, TEXT))
    assert sent is not None
    for number in (str(LARGE), str(-LARGE)):
        assert number.encode() in sent
    assert sent.count(str(LARGE).encode()) == 3
    assert len(sent.decode().splitlines()) == len(row.decode().splitlines()) == 1
    assert json.loads(row) == BREAKS


def test_a_native_line_can_be_read() -> None:
    """It is sent unchanged; a repeated member is found even next to such a number."""
    document = {"custom_id": "a", "params": {"n": [LARGE, {"text": BREAKS}]}}
    assert parse_line(1, json.dumps(document).encode()) == document
    with pytest.raises(FerryError, match="'a' appears twice"):
        parse_line(1, b'{"a":%d,"a":1}' % LARGE)


def test_a_number_beyond_64_bits_is_refused_with_its_path() -> None:
    request = {"contents": [{"parts": [{"text": "a"}]}], "generationConfig": {"seed": LARGE}}
    line = parse_line(3, json.dumps({"request": request}).encode())
    with pytest.raises(FerryError, match=r"^line 3: request\.generationConfig\.seed: ") as refused:
        TRANSLATED["openai"]().read(0, 3, line)
    assert refused.value.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize("number", ["1" + "0" * 300, "9" * 400])
def test_an_excessive_number_is_refused(number: str) -> None:
    """The first is an integer of Python without a float, the second is not a double."""
    text = b'{"request":{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topK":%b}}}'
    with pytest.raises(FerryError) as refused:
        TRANSLATED["openai"]().read(0, 1, parse_line(1, text % number.encode()))
    assert refused.value.status == Status.INVALID_ARGUMENT


def test_a_result() -> None:
    answer = {"custom_id": "r1", "body": {"n": LARGE, "text": BREAKS}}
    text = json.dumps(answer, ensure_ascii=False)
    _, document = parse_result(text.encode(), "custom_id")
    result = Result(0, json.dumps(BREAKS, ensure_ascii=False).encode(), document)
    line = result.render_line()
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == {"key": BREAKS} | answer
    rows = RequestTable(RowKind.METADATA, [json.dumps({"a": BREAKS}, ensure_ascii=False).encode()])
    item = render_inline(result, rows)
    assert len(item.decode().splitlines()) == 1
    assert json.loads(item) == answer | {"metadata": {"a": BREAKS}}


def test_a_line_of_an_immediate_batch_at_rest() -> None:
    output = {"n": LARGE, "text": BREAKS}
    line = render_result(BREAKS, json.dumps(output, ensure_ascii=False).encode(), {})
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == {"recordId": BREAKS, "modelOutput": output}
