"""How the APIs with OpenAI's chat completions differ, so that one translation serves all."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from providers.gemini_content.content_parts import EndRule, require_users_end
from providers.gemini_content.function_calls import CallRules
from providers.gemini_content.function_tools import DeclaredFunction, FunctionTools
from providers.gemini_content.settings import Range
from providers.gemini_content.warnings import Warnings
from providers.openai_content.schema_rules import SchemaRule

Part: TypeAlias = dict[str, Any]
InlineMedia: TypeAlias = Callable[[dict[str, Any], str, Warnings], Part]
"""Makes a part of the Blob at a path."""
StoredFile: TypeAlias = Callable[[str, str, str], Part]
"""Makes a part of a MIME type, the native id of a file, and the path of its FileData.

Raises INVALID_ARGUMENT for a file that the provider cannot read in a request.
"""
WebMedia: TypeAlias = Callable[[str], Part]
"""Makes a part of a web address."""
OwnThought: TypeAlias = Callable[[dict[str, Any]], Part | None]
"""The provider's own thought in a part of the model's turn; None for every other part."""
WriteThoughts: TypeAlias = Callable[[list[Part]], dict[str, Any]]
"""The members of the model's message for its own thoughts."""
Choice: TypeAlias = str | dict[str, Any]
OfferFunctions: TypeAlias = Callable[
    [FunctionTools, str, Warnings], tuple[list[DeclaredFunction], Choice]
]
"""The functions to declare, and the `tool_choice`, for what is requested and its plain choice."""

WriteTexts: TypeAlias = Callable[[list[Part]], str | list[Part]]
"""The content of a message of several texts, from their parts."""

MessageRule: TypeAlias = Callable[[str | None, Mapping[str, Any], str], None]
"""Checks a message that comes after one of a role, or first; its parts are at the path.

Raises INVALID_ARGUMENT for one that the provider does not accept there.
"""


def any_message(_before: str | None, _message: Mapping[str, Any], _path: str) -> None:
    """For providers that accept every message anywhere."""


def texts_apart(texts: list[Part]) -> list[Part]:
    """For APIs that take a list of parts in every message."""
    return texts


def texts_joined(texts: list[Part]) -> str:
    """For servers with OpenAI's API: some of them take no list."""
    return "\n".join(text["text"] for text in texts)


def thoughts_apart(thoughts: list[Part]) -> dict[str, Any]:
    """For `to_responses`, which makes items of them."""
    return {"thoughts": thoughts}


def no_own_thought(_part: dict[str, Any]) -> None:
    """For APIs that take no thoughts back."""


ANY_MODEL: Final = re.compile(".*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The rules of one API.

    `ranges` and `renamed` are the settings it has, by Gemini's names; `refused` are others.
    `inline_media` are the MIME types it takes inline, and `takes` names them; `web_media` and
    `takes_from_web` are those by web address. `service_tiers` are its names of Gemini's tiers.
    `thoughts` are the members of a request for the model's thoughts; None if it shows none.
    `own_thought` finds its own thoughts in the model's turns, `write_thoughts` sends them.
    `write_texts` makes the content of several texts.
    `streaming` are the members of a request for a stream with its usage, `single` of one for a
    single answer.
    `embedding_size` is its name for the length of an embedding, which `sized_models` take.
    `endpoint_of` is the endpoint that the `url` of a batch's line names, as OpenAI writes it.
    """

    calls: CallRules
    ranges: tuple[Range, ...]
    renamed: Mapping[str, str]
    refused: Mapping[str, str]
    most_stops: int | None
    inline_media: Mapping[str, InlineMedia]
    takes: str
    web_media: Mapping[str, WebMedia]
    takes_from_web: str
    stored_file: StoredFile
    offer_functions: OfferFunctions
    schema_rule: SchemaRule
    service_tiers: Mapping[str, str]
    streaming: Mapping[str, Any]
    embedding_size: str
    sized_models: re.Pattern[str] = ANY_MODEL
    message_rule: MessageRule = any_message
    end_rule: EndRule = require_users_end
    thoughts: Mapping[str, Any] | None = None
    own_thought: OwnThought = no_own_thought
    single: Mapping[str, Any] = field(default_factory=dict)
    write_thoughts: WriteThoughts = thoughts_apart
    write_texts: WriteTexts = texts_apart
    endpoint_of: Callable[[str], str] = str

    @property
    def provider(self) -> str:
        """The provider's name, for messages."""
        return self.calls.provider
