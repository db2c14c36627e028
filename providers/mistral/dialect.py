"""Mistral's rules for chat completions and embeddings (mistral.md section 4)."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from providers.embeddings.embedding_calls import Packing
from providers.embeddings.openai_embeddings import TEXTS_MEMBER
from providers.errors import invalid_argument
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.json_path import member
from providers.gemini_content.media import IMAGES, INLINE, PDF
from providers.gemini_content.unsupported import GEMINI_ONLY_SETTINGS
from providers.gemini_content.warnings import Warnings
from providers.limits import Limit
from providers.openai_content.dialect import Dialect, Part
from providers.openai_content.media_to_openai import inline_image, web_image
from providers.openai_content.schema_rules import any_schema
from providers.openai_content.tools_to_openai import offer_allowed

_CALL_ID: Final = re.compile(r"[a-zA-Z0-9]{9}")


def _call_id(turn: int, number: int, attempt: int) -> str:
    """Nine letters and digits, the same for every translation of one request."""
    return hashlib.sha256(f"{turn} {number} {attempt}".encode()).hexdigest()[:9]


def _check_message(before: str | None, message: Mapping[str, Any], path: str) -> None:
    if (before, message["role"]) == ("tool", "user"):
        raise invalid_argument(
            "Mistral takes nothing of the user between the response of a function and the model's "
            "next turn",
            path=path,
        )
    if message["role"] == "assistant" and not (message.get("content") or "tool_calls" in message):
        raise invalid_argument("Mistral takes no empty turn of the model", path=path)


def _inline_pdf(blob: dict[str, Any], _path: str, _warnings: Warnings) -> Part:
    name = blob.get("displayName")
    named = {} if name is None else {"document_name": name}
    return {"type": "document_url", "document_url": f"data:{PDF};base64,{blob['data']}", **named}


def _no_stored_file(_mime_type: str, _file_id: str, path: str) -> NoReturn:
    """Unverified: which models read a file at Mistral in a batch (mistral.md section 4)."""
    raise invalid_argument(
        "files at Mistral are not sent in a request; send text as a text part, and an image or a "
        f"PDF {INLINE}",
        path=member(path, "fileUri"),
    )


# Users report these limits, with the refusals "Too many inputs in request, split into more batches"
# (https://github.com/raphaelmansuy/edgequake-llm/pull/74) and "Too many tokens in batch. Max is
# 16384" (https://github.com/aurelio-labs/semantic-router/issues/297).
EMBED_TEXTS: Final = Limit(
    512, "texts", "one call for embeddings at Mistral; the rest is sent in others"
)
EMBED_TOKENS: Final = Limit(
    16_384, "tokens", "one call for embeddings at Mistral, of several texts"
)
EMBED_PACKING: Final = Packing(TEXTS_MEMBER, EMBED_TEXTS, EMBED_TOKENS)

MISTRAL_DIALECT: Final = Dialect(
    calls=CallRules("Mistral", longest_name=64, ids=_CALL_ID, make_id=_call_id),
    # Unverified: the limits of the numbers.
    ranges=(
        ("maxOutputTokens", "max_tokens", 1, 2**31 - 1),
        ("temperature", "temperature", 0, 1.5),
        ("topP", "top_p", 0, 1),
        ("topK", "top_k", 1, 2**31 - 1),
        ("candidateCount", "n", 1, 128),
        ("presencePenalty", "presence_penalty", -2, 2),
        ("frequencyPenalty", "frequency_penalty", -2, 2),
        ("seed", "random_seed", 0, 2**63 - 1),
        ("logprobs", "top_logprobs", 0, 20),
    ),
    renamed={"responseLogprobs": "logprobs"},
    refused=GEMINI_ONLY_SETTINGS,
    most_stops=None,
    # Unverified: which other kinds of media it takes.
    inline_media={**dict.fromkeys(IMAGES, inline_image), PDF: _inline_pdf},
    takes="PNG, JPEG, GIF and WebP images, and PDF",
    web_media=dict.fromkeys(IMAGES, web_image),
    takes_from_web="PNG, JPEG, GIF and WebP images",
    stored_file=_no_stored_file,
    offer_functions=offer_allowed,
    schema_rule=any_schema,
    service_tiers={"STANDARD": "standard_only"},
    streaming={"stream": True},
    embedding_size="output_dimension",
    # Unverified: that other models refuse a length.
    sized_models=re.compile(r"codestral-embed.*", re.DOTALL),
    message_rule=_check_message,
    thoughts={},  # a model that thinks writes them unasked
)
