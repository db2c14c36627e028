"""Files in Bedrock's own format: `{"recordId", "modelInput"}` (bedrock.md sections 3 and 4).

Bedrock checks a modelInput only when it runs the job. So input that is known to fail there is
refused here, and so is input whose results could not be translated.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind
from providers.bedrock.content.bedrock_models import ModelFamily, model_family
from providers.bedrock.content.embed_to_bedrock import require_embedding_model
from providers.bedrock.content.generate_to_invoke_model import ANTHROPIC_VERSION
from providers.bedrock.content.native_rules import NativeRules
from providers.bedrock.invocation import InvocationType
from providers.errors import FerryError, invalid_argument
from providers.json_api.json_text import render_compact
from providers.json_api.unknown_members import refuse_unknown

RECORD_ID: Final = "recordId"
MODEL_INPUT: Final = "modelInput"
_MEMBERS: Final = (RECORD_ID, MODEL_INPUT)
_LONGEST_ID: Final = 256
_NOVAS_SCHEMA: Final = "messages-v1"  # Unverified: bedrock.md section 4


class BedrockLines:
    """Lines are sent unchanged; results are keyed by record id.

    `endpoint` is the format of the first line: a job has one format.
    """

    name = "bedrock"
    row_kind = RowKind.CUSTOM_ID

    def __init__(self, model: str, rules: NativeRules, *, embeds: bool) -> None:
        self._model = model
        self._rules = rules
        self._embeds = embeds
        self._ids = SeenTexts()
        self.endpoint = ""

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        where = f"line {number}"
        refuse_unknown(document, _MEMBERS, f"{where}: ")
        record_id = check_custom_id(document.get(RECORD_ID), self._ids, number, RECORD_ID)
        if len(record_id) > _LONGEST_ID or not record_id.isprintable():
            raise invalid_argument(
                f"1 to {_LONGEST_ID} printable characters are needed", path=f"{where}: {RECORD_ID}"
            )
        model_input = document.get(MODEL_INPUT)
        path = f"{where}: {MODEL_INPUT}"
        if not isinstance(model_input, dict):
            raise invalid_argument("a JSON object is needed", path=path)
        self._check(model_input, path)
        self._rules.check_media(model_input, path)
        return None, render_compact(record_id)

    def _check(self, model_input: dict[str, Any], path: str) -> None:
        invocation = invocation_of(model_input)
        if self.endpoint and invocation != self.endpoint:
            raise invalid_argument(
                f"is written for {invocation}, the lines before for {self.endpoint}", path=path
            )
        self.endpoint = str(invocation)
        if self._embeds:
            require_embedding_model(self._model)
            if "messages" in model_input:
                raise invalid_argument("is not an embedding request", path=path)
        elif invocation is InvocationType.INVOKE_MODEL:
            _require_known_schema(model_input, path, model_family(self._model))
        elif "toolConfig" in model_input:
            self._rules.tools_at = self._rules.tools_at or f"{path}.toolConfig"


def invocation_of(model_input: Mapping[str, Any]) -> InvocationType:
    """The format of a modelInput: Converse, if nothing in it is from a model's own schema."""
    if "anthropic_version" in model_input or "schemaVersion" in model_input:
        return InvocationType.INVOKE_MODEL
    messages = model_input.get("messages")
    contents = [_content(message) for message in messages] if isinstance(messages, list) else []
    if contents and all(map(_is_converse_content, contents)):
        return InvocationType.CONVERSE
    return InvocationType.INVOKE_MODEL


def is_bedrock_line(document: Mapping[str, Any]) -> bool:
    return RECORD_ID in document or MODEL_INPUT in document


def native_formats(model: str, rules: NativeRules, *, embeds: bool) -> LineFormats:
    return LineFormats(
        BedrockLines.name, is_bedrock_line, lambda: BedrockLines(model, rules, embeds=embeds)
    )


def no_tools_in_a_job(path: str) -> FerryError:
    """The error for a Converse line with tools in a job (bedrock.md section 4)."""
    return invalid_argument(
        "a batch of type Converse accepts no tools; Claude accepts them in its own schema, with "
        f'anthropic_version "{ANTHROPIC_VERSION}"',
        path=path,
    )


def _content(message: object) -> object:
    return message.get("content") if isinstance(message, dict) else None


def _is_converse_content(content: object) -> bool:
    """Whether no block has a `type`: Converse names a block's kind by its only member."""
    return isinstance(content, list) and all(
        isinstance(block, dict) and "type" not in block for block in content
    )


def _require_known_schema(model_input: Mapping[str, Any], path: str, family: ModelFamily) -> None:
    is_claude = model_input.get("anthropic_version") == ANTHROPIC_VERSION
    is_nova = model_input.get("schemaVersion") == _NOVAS_SCHEMA
    if is_claude and family in (ModelFamily.CLAUDE, ModelFamily.UNKNOWN):
        return
    if is_nova and family in (ModelFamily.NOVA, ModelFamily.UNKNOWN):
        return
    raise invalid_argument(
        "answers can be translated for Converse's schema, for Claude's with anthropic_version "
        f'"{ANTHROPIC_VERSION}", and for Nova\'s with schemaVersion "{_NOVAS_SCHEMA}"; each with '
        "its own model",
        path=path,
    )
