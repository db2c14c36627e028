"""A streamed answer says what the same answer says as a whole, whatever members it has.

Where in the text a citation is, is not known while the text is written. And a part that no request
can ask for ends a stream, where a whole answer names it beside the rest.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.content.answer_from_converse import from_converse_answer
from providers.bedrock.content.converse_stream import ConverseStream
from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.claude_content.message_stream import MessageStream
from providers.json_api.answer_shape import UnreadableAnswer
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.chat_stream import ChatStream
from providers.openai_content.response_stream import ResponseStream
from providers.openai_content.responses_from_openai import from_openai_response
from providers.prompts.stream import StreamReader
from providers.status import Status

Json: TypeAlias = dict[str, Any]
Said: TypeAlias = tuple[str, str, list[str], list[Json], list[str], int, str]

NOTE: Final = "[genai-ferry]"
PAGE: Final = "https://a.example"


def said(chunks: Sequence[Json]) -> Said:
    """Text, thoughts, signatures, calls, cited addresses, the number of notes, and the end."""
    candidates = [chunk["candidates"][0] for chunk in chunks]
    parts = [part for candidate in candidates for part in candidate["content"]["parts"]]
    texts = [part for part in parts if not part.get("text", NOTE).startswith(NOTE)]
    sources = [
        source
        for candidate in candidates
        for source in candidate.get("citationMetadata", {}).get("citationSources", [])
    ]
    return (
        "".join(part["text"] for part in texts if not part.get("thought")),
        "".join(part["text"] for part in texts if part.get("thought")),
        [part["thoughtSignature"] for part in parts if "thoughtSignature" in part],
        [part["functionCall"] for part in parts if "functionCall" in part],
        [source["uri"] for source in sources if "uri" in source],
        sum(part.get("text", "").startswith(NOTE) for part in parts),
        candidates[-1]["finishReason"],
    )


def outcome(read: Callable[[], Sequence[Json]]) -> Said | str:
    try:
        return said(read())
    except UnreadableAnswer as error:
        return str(error.status)


def streamed(reader: StreamReader[Any], events: Sequence[Any]) -> list[Json]:
    return [chunk for event in events for chunk in reader.read(event)] + list(reader.end())


def in_two(text: str) -> Iterator[str]:
    yield text[:3]
    yield text[3:]


CITED: Final = [
    {"type": "web_search_result_location", "cited_text": "c", "title": "t", "url": PAGE},
    {"type": "char_location", "cited_text": "c", "document_index": 0},
]
BLOCKS: Final[list[Json]] = [
    {"type": "text", "text": "Hello"},
    {"type": "text", "text": "Cited.", "citations": CITED},
    {"type": "thinking", "thinking": "Hm, so", "signature": "S"},
    {"type": "redacted_thinking", "data": "D"},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
]


def block_events(index: int, block: Json) -> Iterator[Json]:
    begun: Json = {"text": "", "thinking": "", "signature": "", "input": {}, "citations": []}
    deltas: list[Json] = []
    match block["type"]:
        case "text":
            deltas = [{"type": "text_delta", "text": each} for each in in_two(block["text"])]
            cited = block.get("citations", [])
            deltas += [{"type": "citations_delta", "citation": each} for each in cited]
        case "thinking":
            pieces = in_two(block["thinking"])
            deltas = [{"type": "thinking_delta", "thinking": each} for each in pieces]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            pieces = in_two(json.dumps(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": each} for each in pieces]
    start = block | {name: begun[name] for name in begun.keys() & block.keys()}
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


@given(st.lists(st.sampled_from(BLOCKS), max_size=5), st.sampled_from(["end_turn", "pause_turn"]))
def test_anthropic(blocks: list[Json], reason: str) -> None:
    message = {"id": "m", "model": "c", "content": blocks, "stop_reason": reason}
    events = [
        {"type": "message_start", "message": {"id": "m", "model": "c"}},
        *(event for index, block in enumerate(blocks) for event in block_events(index, block)),
        {"type": "message_delta", "delta": {"stop_reason": reason}},
        {"type": "message_stop"},
    ]
    found = outcome(lambda: streamed(MessageStream(), [orjson.dumps(event) for event in events]))
    assert found == outcome(lambda: [from_anthropic_message(message)])


CONVERSE: Final[list[Json]] = [
    {"text": "Hello"},
    {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
    {"toolUse": {"toolUseId": "s", "name": "f", "input": {}, "type": "server_tool_use"}},
    {"reasoningContent": {"reasoningText": {"text": "Hm, so", "signature": "S"}}},
    {"reasoningContent": {"redactedContent": "RA=="}},
    {
        "citationsContent": {
            "content": [{"text": "Cited."}],
            "citations": [{"location": {"web": {"url": PAGE}}}, {"title": "t"}],
        }
    },
]


def converse_events(index: int, block: Json) -> Iterator[tuple[str, Json]]:
    ((kind, value),) = block.items()
    deltas: list[Json] = []
    match kind:
        case "text":
            deltas = [{"text": each} for each in in_two(value)]
        case "toolUse":
            start = {name: value[name] for name in value if name != "input"}
            yield "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": start}}
            deltas = [{"toolUse": {"input": each}} for each in in_two(json.dumps(value["input"]))]
        case "reasoningContent" if "reasoningText" in value:
            reasoning = value["reasoningText"]
            pieces: list[Json] = [{"text": each} for each in in_two(reasoning["text"])]
            pieces.append({"signature": reasoning["signature"]})
            deltas = [{"reasoningContent": piece} for piece in pieces]
        case "citationsContent":
            deltas = [{"text": piece["text"]} for piece in value["content"]]
            deltas += [{"citation": citation} for citation in value["citations"]]
        case _:
            deltas = [block]
    for delta in deltas:
        yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
    yield "contentBlockStop", {"contentBlockIndex": index}


@given(st.lists(st.sampled_from(CONVERSE), max_size=5), st.booleans())
def test_converse(blocks: list[Json], thoughts: bool) -> None:
    answer = {"output": {"message": {"content": blocks}}, "stopReason": "end_turn"}
    events: list[tuple[str, Json]] = [
        ("messageStart", {"role": "assistant"}),
        *(event for index, block in enumerate(blocks) for event in converse_events(index, block)),
        ("messageStop", {"stopReason": "end_turn"}),
    ]
    found = outcome(lambda: streamed(ConverseStream("m", "1", thoughts=thoughts), events))
    assert found == outcome(lambda: [from_converse_answer(answer, thoughts=thoughts)])


FUNCTION: Final = {"name": "f", "arguments": '{"a":1}'}
CALL: Final = {"id": "t", "type": "function", "function": FUNCTION}
CITATION: Final = {"start_index": 0, "end_index": 1, "url": PAGE, "title": "t"}
MEMBERS: Final[dict[str, list[Any]]] = {
    "content": ["Hello"],
    "reasoning_content": ["Hm, so"],
    "annotations": [[{"type": "url_citation", "url_citation": CITATION}]],
    "refusal": ["I will not."],
    "tool_calls": [[CALL]],
}


def call_deltas(index: int, call: Json) -> Iterator[Json]:
    function = call["function"]
    yield {"tool_calls": [call | {"index": index, "function": function | {"arguments": ""}}]}
    for piece in in_two(function["arguments"]):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def message_deltas(message: Json) -> Iterator[Json]:
    for member, value in message.items():
        if member == "tool_calls":
            for index, call in enumerate(value):
                yield from call_deltas(index, call)
        elif isinstance(value, str):
            yield from ({member: piece} for piece in in_two(value))
        else:
            yield {member: value}


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in MEMBERS.items()}
    )
)
def test_openai_chat(members: Json) -> None:
    order = ("reasoning_content", "content", "annotations", "refusal", "tool_calls")
    message = {name: members[name] for name in order if name in members}
    if "content" not in message:
        message.pop("annotations", None)
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    deltas = [{"role": "assistant", "content": ""}, *message_deltas(message)]
    events: list[Json] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks = [orjson.dumps(event) for event in events]
    found = outcome(lambda: streamed(ChatStream(thoughts=True), chunks))
    assert found == outcome(lambda: [from_openai_chat(whole, thoughts=True)])


OUTPUT: Final[list[Json]] = [
    {
        "type": "message",
        "content": [
            {
                "type": "output_text",
                "text": "Hello",
                "annotations": [{"type": "url_citation"} | CITATION, {"type": "file_citation"}],
            }
        ],
    },
    {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]},
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm, so"}],
        "encrypted_content": "E",
    },
    {
        "type": "reasoning",
        "id": "rs_2",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "As vLLM thinks"}],
    },
    {"type": "function_call", "call_id": "t"} | FUNCTION,
    {"type": "web_search_call", "id": "w"},
    {"type": "custom_tool_call", "call_id": "u", "name": "g", "input": "words"},
    {"type": "image_generation_call", "id": "i", "result": "AAAA"},
]


def output_events(index: int, item: Json) -> Iterator[Json]:
    begun: Json = {"content": [], "summary": [], "arguments": "", "encrypted_content": None}
    start = item | {name: begun[name] for name in begun.keys() & item.keys()}
    at = {"output_index": index, "content_index": 0}
    yield {"type": "response.output_item.added", "item": start, **at}
    for part in item.get("summary", []):
        for piece in in_two(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", "delta": piece, **at}
    for part in item.get("content", []):
        name = part["type"]
        for piece in in_two(part["refusal"] if name == "refusal" else part["text"]):
            yield {"type": f"response.{name}.delta", "delta": piece, **at}
        for annotation in part.get("annotations", []):
            kind = "response.output_text.annotation.added"
            yield {"type": kind, "annotation": annotation, **at}
    for piece in in_two(item.get("arguments", "")):
        if piece:
            yield {"type": "response.function_call_arguments.delta", "delta": piece, **at}
    yield {"type": "response.output_item.done", "item": item, **at}


@given(st.lists(st.sampled_from(OUTPUT), max_size=5), st.booleans())
def test_openai_responses(output: list[Json], thoughts: bool) -> None:
    response = {"id": "r", "model": "m", "status": "completed", "output": output}
    events = [
        {"type": "response.created", "response": response | {"output": []}},
        *(event for index, item in enumerate(output) for event in output_events(index, item)),
        {"type": "response.completed", "response": response},
    ]
    found = outcome(
        lambda: streamed(
            ResponseStream(thoughts=thoughts), [orjson.dumps(event) for event in events]
        )
    )
    assert found == outcome(lambda: [from_openai_response(response, thoughts=thoughts)])


# By the fact sheets: what no request of the proxy asks for.
SERVED: Final = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
CUSTOM: Final = {"index": 0, "id": "u", "type": "custom", "custom": {"name": "g", "input": ""}}
OF_CHAT: Final[list[Json]] = [{"audio": {"id": "a"}}, {"images": [{}]}, {"tool_calls": [CUSTOM]}]
OF_CLAUDE: Final[list[Json]] = [SERVED, {"type": "container_upload"}, {"type": "newer"}]
OF_CONVERSE: Final[list[Json]] = [{"image": {}}, {"toolResult": []}, {"newer": {}}]
UNASKED: Final[list[tuple[StreamReader[Any], Any]]] = [
    *((ChatStream(), orjson.dumps({"choices": [{"delta": delta}]})) for delta in OF_CHAT),
    *(
        (MessageStream(), orjson.dumps({"type": "content_block_start", "content_block": block}))
        for block in OF_CLAUDE
    ),
    *(
        (ConverseStream("m", "1", thoughts=False), ("contentBlockDelta", {"delta": delta}))
        for delta in OF_CONVERSE
    ),
]


@pytest.mark.parametrize(("reader", "event"), UNASKED)
def test_a_part_that_no_request_asks_for_ends_a_stream(
    reader: StreamReader[Any], event: Any
) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        list(reader.read(event))
    assert refused.value.status is Status.UNIMPLEMENTED


def test_log_probabilities_beside_an_empty_text() -> None:
    token = {"token": "\\xf0", "logprob": -0.5, "top_logprobs": []}
    choice = {"index": 0, "delta": {"content": ""}, "logprobs": {"content": [token]}}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    first, _ = streamed(ChatStream(), [orjson.dumps({"choices": [each]}) for each in (choice, end)])
    assert first["candidates"][0]["logprobsResult"]["chosenCandidates"][0]["token"] == "\\xf0"


@pytest.mark.parametrize("places", [1, 30])
def test_an_annotation_that_cannot_be_read(places: int) -> None:
    delta = {"content": "Hi", "annotations": [7] * places}
    events = [{"choices": [{"delta": delta}]}, {"choices": [{"finish_reason": "stop"}]}]
    text, *notes = said(streamed(ChatStream(), [orjson.dumps(event) for event in events]))
    assert text == "Hi"
    assert 1 <= notes[-2] <= 20  # type: ignore[operator]
