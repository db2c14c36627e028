"""A single GenerateContentRequest -> Converse, or Claude's own schema if Converse lacks a field."""

from typing import Any

from providers.bedrock.content.batch_lines import require_text_model
from providers.bedrock.content.bedrock_models import InvocationType, ModelFamily, model_family
from providers.bedrock.content.generate_to_converse import to_converse
from providers.bedrock.content.generate_to_invoke_model import to_invoke_model
from providers.bedrock.content.media_to_converse import MediaUri
from providers.bedrock.content.prompt_cache import with_cache_points
from providers.claude_content.prompt_cache import marked_for_cache
from providers.errors import FerryError
from providers.gemini_content.content_parts import EndRule, find_part, require_users_end
from providers.gemini_content.warnings import Warnings
from providers.prompt_cache import CacheLife


def to_bedrock(
    request: dict[str, Any],
    *,
    model: str,
    path: str,
    warnings: Warnings,
    media_uri: MediaUri,
    end_rule: EndRule = require_users_end,
    cache: CacheLife | None = None,
) -> tuple[InvocationType, dict[str, Any]]:
    """The call, and its body. Arguments and errors as of `to_converse`; marked for `cache`."""
    require_text_model(model)
    try:
        with warnings.apart() as recorded:
            body = to_converse(
                request,
                model=model,
                path=path,
                warnings=warnings,
                media_uri=media_uri,
                end_rule=end_rule,
            )
    except FerryError:
        files = find_part(request, path, ("fileData",))
        if files is not None or model_family(model) is not ModelFamily.CLAUDE:
            raise  # only Converse reads files, and only Claude has a schema of its own
        body = to_invoke_model(
            request, model=model, path=path, warnings=warnings, end_rule=end_rule
        )
        return InvocationType.INVOKE_MODEL, marked_for_cache(body, cache)
    warnings.add(recorded)
    return InvocationType.CONVERSE, with_cache_points(body, model, cache)
