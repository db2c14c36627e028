"""Files in Bedrock's own format: `{"recordId", "modelInput"}` (bedrock.md sections 3 and 4).

Bedrock checks a modelInput only when it runs the job. So input that is known to fail there is
refused here, and so is input whose results could not be translated.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.batches.line_formats import LineFormats, SeenTexts, check_custom_id
from providers.batches.request_table import RowKind
from providers.bedrock.content.bedrock_models import InvocationType, ModelFamily, model_family
from providers.bedrock.content.embed_to_bedrock import require_embedding_model
from providers.bedrock.content.generate_to_invoke_model import ANTHROPIC_VERSION
from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import item, member
from providers.json_api.json_text import render_compact
from providers.json_api.unknown_members import refuse_unknown
from providers.limits import Limit
from providers.resources import BatchKind

RECORD_ID: Final = "recordId"
MODEL_INPUT: Final = "modelInput"
_MEMBERS: Final = (RECORD_ID, MODEL_INPUT)
ID_LIMIT: Final = Limit(256, "characters", "a line's `recordId` at Bedrock")
_SCHEME: Final = "s3://"
_PROSE: Final = "text"
_NOVAS_SCHEMA: Final = "messages-v1"  # Unverified: bedrock.md section 4


@dataclass(slots=True)
class NativeRules:
    """`may_read`: whether the caller may have this s3:// URI read.

    `tools_at` is set here: the path of the first `toolConfig` in a Converse line. A job fails on
    it; an immediate batch accepts it.
    """

    may_read: Callable[[str], bool]
    tools_at: str | None = None

    def check_media(self, model_input: Mapping[str, Any], path: str) -> None:
        """Raises INVALID_ARGUMENT for an object that the caller may not name.

        The models' schemas have such names in different fields, so every string but prose counts.
        """
        for uri, where in _s3_uris(model_input, path):
            if not self.may_read(uri):
                raise invalid_argument(
                    "only objects below the caller's own S3 prefix are allowed here", path=where
                )


class BedrockLines:
    """Lines are sent unchanged; results are keyed by record id.

    `endpoint` is the format of the first line: a job has one format.
    """

    name = "bedrock"
    row_kind = RowKind.CUSTOM_ID

    def __init__(self, model: str, kind: BatchKind, rules: NativeRules) -> None:
        self._model = model
        self._kind = kind
        self._rules = rules
        self._ids = SeenTexts()
        self.endpoint = ""

    def read(self, _: int, number: int, document: dict[str, Any]) -> tuple[None, bytes]:
        where = f"line {number}"
        refuse_unknown(document, _MEMBERS, f"{where}: ")
        record_id = check_custom_id(document.get(RECORD_ID), self._ids, number, RECORD_ID)
        if len(record_id) > ID_LIMIT or not record_id.isprintable():
            raise invalid_argument(
                f"1 to {ID_LIMIT} printable characters are needed", path=f"{where}: {RECORD_ID}"
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
        if self._kind is BatchKind.EMBED:
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
    if isinstance(messages, list) and messages and all(map(_is_converse_message, messages)):
        return InvocationType.CONVERSE
    return InvocationType.INVOKE_MODEL


def is_bedrock_line(document: Mapping[str, Any]) -> bool:
    return RECORD_ID in document or MODEL_INPUT in document


def line_formats(model: str, kind: BatchKind, rules: NativeRules) -> LineFormats:
    return LineFormats(BedrockLines.name, is_bedrock_line, lambda: BedrockLines(model, kind, rules))


def no_tools_in_a_job(path: str) -> FerryError:
    """The error for a Converse line with tools in a job (bedrock.md section 4)."""
    return invalid_argument(
        "a batch of type Converse accepts no tools; Claude accepts them in its own schema, with "
        f'anthropic_version "{ANTHROPIC_VERSION}"',
        path=path,
    )


def _is_converse_message(message: object) -> bool:
    """Whether no block has a `type`: Converse names a block's kind by its only member."""
    content = message.get("content") if isinstance(message, dict) else None
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


def _s3_uris(document: object, path: str) -> Iterator[tuple[str, str]]:
    """Every s3:// URI in `document`, with its JSON path. No recursion, so any depth works."""
    left = [(document, path)]
    while left:
        value, where = left.pop()
        if isinstance(value, dict):
            left += [
                (inner, member(where, name))
                for name, inner in value.items()
                if not (name == _PROSE and isinstance(inner, str))
            ]
        elif isinstance(value, list):
            left += [(inner, item(where, index)) for index, inner in enumerate(value)]
        elif isinstance(value, str) and value.lstrip()[: len(_SCHEME)].lower() == _SCHEME:
            yield value, where
