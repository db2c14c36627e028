"""Embeddings and Responses requests; the latter are looked into at their top level only."""

from typing import Any

from ..shape import Anything, Either, Flag, Nullable, Number, Record, Sequence, Table, Text
from .chat_request import METADATA

ANY = Anything()
EMBEDDING_INPUT = Either(
    (
        Text(low=1),
        Sequence(Text(low=1), low=1, high=2048),
        Sequence(Number(low=0, whole=True), low=1),
        Sequence(Sequence(Number(low=0, whole=True), low=1), low=1, high=2048),
    )
)
EMBEDDING = Record(
    {
        "model": Text(low=1),
        "input": EMBEDDING_INPUT,
        "dimensions": Number(low=1, whole=True),
        "encoding_format": Text(choices=["float", "base64"]),
        "user": Text(),
    },
    required=("model", "input"),
)
FREE = (
    "conversation context_management include moderation prompt prompt_cache_options reasoning "
    "text tool_choice truncation image background_options access_programs"
)
RESPONSE = Record(
    {
        **dict.fromkeys(FREE.split(), ANY),
        "model": Text(low=1),
        "input": Either((Text(), Sequence(Table(ANY), low=1))),
        "instructions": Nullable(Text()),
        "background": Nullable(Flag()),
        "max_output_tokens": Nullable(Number(low=1, whole=True)),
        "max_tool_calls": Nullable(Number(low=1, whole=True)),
        "metadata": Nullable(METADATA),
        "parallel_tool_calls": Nullable(Flag()),
        "previous_response_id": Nullable(Text()),
        "prompt_cache_key": Text(),
        "prompt_cache_retention": Nullable(Text()),
        "safety_identifier": Text(),
        "service_tier": Nullable(Text()),
        "store": Nullable(Flag()),
        "temperature": Nullable(Number(low=0, high=2)),
        "tools": Sequence(Table(ANY)),
        "top_logprobs": Nullable(Number(low=0, high=20, whole=True)),
        "top_p": Nullable(Number(low=0, high=1)),
        "user": Text(),
    },
    required=("model", "input"),
)


def response_text(body: dict[str, Any]) -> str:
    """The last user text of a Responses request's `input`."""
    given = body["input"]
    if isinstance(given, str):
        return given
    for item in reversed(given):
        if item.get("role") == "user":
            content = item.get("content", "")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content)
    return ""
