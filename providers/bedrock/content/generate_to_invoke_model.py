"""Gemini's GenerateContentRequest -> Claude's own body at Bedrock (bedrock.md section 4)."""

from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.claude_content.api_version import OLD_VERSION
from providers.claude_content.generate_to_anthropic import to_anthropic_message
from providers.errors import invalid_argument
from providers.gemini_content.content_parts import EndRule, find_part, require_users_end
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings

ANTHROPIC_VERSION: Final = "bedrock-2023-05-31"
# Claude's own schema requires one (translation.md section 2).
_DEFAULT_MAX_TOKENS: Final = 4096


def to_invoke_model(
    request: dict[str, Any],
    *,
    model: str,
    path: str,
    warnings: Warnings,
    end_rule: EndRule = require_users_end,
) -> dict[str, Any]:
    """Translate a normalised request (`normalise_generate`) that the client wrote at `path`.

    An absent maxOutputTokens is filled in, with a warning. Raises INVALID_ARGUMENT for a model that
    is not Claude, for files, which Claude's body has no position for at Bedrock, and as
    `to_anthropic_message` does.
    """
    if model_family(model) is not ModelFamily.CLAUDE:
        raise invalid_argument("can be translated only to Claude's own schema", path=path)
    require_model(request, model, path, "Bedrock")
    file_path = find_part(request, path, ("fileData",))
    if file_path is not None:
        raise invalid_argument(
            "in its own schema Claude at Bedrock reads media only as inlineData", path=file_path
        )
    body = to_anthropic_message(
        {name: value for name, value in request.items() if name != "model"},
        model=claude_name(model),
        path=path,
        warnings=warnings,
        file_ids=lambda *_: None,
        default_max_tokens=_DEFAULT_MAX_TOKENS,
        api_version=OLD_VERSION,
        end_rule=end_rule,
    )
    del body["model"]
    return {"anthropic_version": ANTHROPIC_VERSION} | body
