"""OpenAI's rules for chat completions and embeddings (translation.md section 2)."""

import re
from dataclasses import replace
from typing import Final

from yarl import URL

from providers.embeddings.embedding_calls import Packing
from providers.embeddings.openai_embeddings import TEXTS_MEMBER
from providers.gemini_content.content_parts import any_end
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.media import IMAGES, PDF
from providers.gemini_content.unsupported import GEMINI_ONLY_SETTINGS
from providers.limits import Limit
from providers.openai_content.body_to_openai import known_endpoint
from providers.openai_content.dialect import Dialect, texts_joined
from providers.openai_content.media_to_openai import (
    inline_audio,
    inline_image,
    inline_pdf,
    stored_image_or_pdf,
    stored_pdf,
    web_image,
    web_pdf,
)
from providers.openai_content.reasoning_signatures import reasoning_item
from providers.openai_content.schema_rules import hosted_schema, openai_schema
from providers.openai_content.server_reasoning import own_reasoning, write_reasoning
from providers.openai_content.tools_to_openai import offer_all_and_name_allowed, offer_allowed

_AUDIO: Final = ("audio/wav", "audio/x-wav", "audio/wave", "audio/mp3", "audio/mpeg")
_WEB_IMAGES: Final = dict.fromkeys(IMAGES, web_image)

EMBED_TEXTS: Final = Limit(
    2_048, "texts", "one call for embeddings at OpenAI; the rest is sent in others"
)
EMBED_TOKENS: Final = Limit(
    300_000, "tokens", "one call for embeddings at OpenAI, of several texts"
)
EMBED_PACKING: Final = Packing(TEXTS_MEMBER, EMBED_TEXTS, EMBED_TOKENS)

OPENAI_DIALECT: Final = Dialect(
    # Any text; a Response takes 64 characters (openai.md section 7).
    calls=CallRules("OpenAI", longest_name=64, ids=re.compile(".{1,40}", re.DOTALL)),
    ranges=(
        ("maxOutputTokens", "max_completion_tokens", 1, 2**31 - 1),
        ("temperature", "temperature", 0, 2),
        ("topP", "top_p", 0, 1),
        ("candidateCount", "n", 1, 128),
        ("presencePenalty", "presence_penalty", -2, 2),
        ("frequencyPenalty", "frequency_penalty", -2, 2),
        ("logprobs", "top_logprobs", 0, 20),
    ),
    renamed={"seed": "seed", "responseLogprobs": "logprobs"},
    refused={"topK": "{} has no such setting", **GEMINI_ONLY_SETTINGS},
    most_stops=4,
    inline_media={
        PDF: inline_pdf,
        **dict.fromkeys(IMAGES, inline_image),
        **dict.fromkeys(_AUDIO, inline_audio),
    },
    takes="PNG, JPEG, GIF and WebP images, PDF, and WAV and MP3 audio",
    web_media=_WEB_IMAGES,
    takes_from_web="PNG, JPEG, GIF and WebP images",
    stored_file=stored_pdf,
    offer_functions=offer_all_and_name_allowed,
    schema_rule=openai_schema,
    service_tiers={"STANDARD": "default", "FLEX": "flex", "PRIORITY": "priority"},
    streaming={"stream": True, "stream_options": {"include_usage": True}},
    embedding_size="dimensions",
    # Models before text-embedding-3 have embeddings of one length.
    sized_models=re.compile(r"(?!text-embedding-ada-002$).*", re.DOTALL),
)

HOSTED_DIALECT: Final = replace(
    OPENAI_DIALECT,
    schema_rule=hosted_schema,
    # Other servers write their reasoning unasked.
    thoughts={},
    own_thought=own_reasoning,
    write_thoughts=write_reasoning,
    endpoint_of=known_endpoint,
)
"""The rules of a server that has OpenAI's models, and others."""

SERVER_DIALECT: Final = replace(
    HOSTED_DIALECT,
    # Each knows the older name of the limit, and many ignore or refuse the newer one; none of the
    # known ones takes a list of allowed functions; some take no list of texts; some stream unless
    # told not to (openai.md section 10).
    ranges=(("maxOutputTokens", "max_tokens", 1, 2**31 - 1), *OPENAI_DIALECT.ranges[1:]),
    offer_functions=offer_allowed,
    write_texts=texts_joined,
    single={"stream": False},
)
"""The rules of a server with OpenAI's API, such as vLLM or Ollama."""

_OPENAIS_HOSTS: Final = re.compile(r"(.+\.)?(openai|azure)\.com")


def dialect_of(name: str, kind: str, base_url: URL) -> Dialect:
    """The rules of the provider with this name: another name than the kind's is another server."""
    if name == kind:
        return OPENAI_DIALECT
    return HOSTED_DIALECT if _OPENAIS_HOSTS.fullmatch(base_url.host or "") else SERVER_DIALECT


RESPONSES_DIALECT: Final = replace(
    OPENAI_DIALECT,
    ranges=(
        ("maxOutputTokens", "max_output_tokens", 16, 2**31 - 1),
        ("temperature", "temperature", 0, 2),
        ("topP", "top_p", 0, 1),
        ("logprobs", "top_logprobs", 0, 20),
    ),
    renamed={"responseLogprobs": "logprobs"},
    refused={
        **OPENAI_DIALECT.refused,
        "candidateCount": "{} gives one answer here",
        **dict.fromkeys(
            ("seed", "stopSequences", "presencePenalty", "frequencyPenalty"),
            "{} has no such setting in the Responses API",
        ),
    },
    # Messages there have no audio.
    inline_media={PDF: inline_pdf, **dict.fromkeys(IMAGES, inline_image)},
    takes="PNG, JPEG, GIF and WebP images, and PDF",
    web_media=_WEB_IMAGES | {PDF: web_pdf},
    takes_from_web="PNG, JPEG, GIF and WebP images, and PDF",
    stored_file=stored_image_or_pdf,
    streaming={"stream": True},
    thoughts={"reasoning_summary": "auto"},
    own_thought=reasoning_item,
)
"""OpenAI's rules for /v1/responses; `to_responses` writes its form."""

COUNTED_DIALECT: Final = replace(
    RESPONSES_DIALECT,
    # What a chat completion may have, and what changes no count.
    ranges=OPENAI_DIALECT.ranges,
    renamed=OPENAI_DIALECT.renamed,
    refused=OPENAI_DIALECT.refused,
    end_rule=any_end,
)
"""The rules for a request to /v1/responses that is only counted."""
