"""Gemini's GenerateContentRequest -> the body of Converse, which is the same for every model."""

from typing import Any

from providers.bedrock.content.bedrock_models import model_family
from providers.bedrock.content.contents_to_converse import to_converse_messages
from providers.bedrock.content.media_to_converse import MediaUri
from providers.bedrock.content.options_to_converse import to_converse_options
from providers.bedrock.content.tools_to_converse import to_converse_tools
from providers.gemini_content.json_path import member
from providers.gemini_content.unsupported import check_request_fields, require_model
from providers.gemini_content.warnings import Warnings


def to_converse(
    request: dict[str, Any], *, model: str, path: str, warnings: Warnings, media_uri: MediaUri
) -> dict[str, Any]:
    """Translate a normalised request (`normalise_generate`) that the client wrote at `path`.

    `model` is the batch's: the body does not name it, but some settings depend on it. Bytes are
    base64 text. `media_uri` gives the `s3://` URI of a file of this proxy. Raises INVALID_ARGUMENT
    with the JSON path of the first field that cannot be translated without a change of meaning.
    """
    require_model(request, model, path, "Bedrock")
    check_request_fields(request, path, warnings, "Bedrock")
    config_path = member(path, "generationConfig")
    options, thinking = to_converse_options(
        request.get("generationConfig", {}), config_path, warnings, model
    )
    tools = to_converse_tools(request, path, warnings, model=model, thinking=thinking)
    messages = to_converse_messages(
        request,
        family=model_family(model),
        path=path,
        warnings=warnings,
        media_uri=media_uri,
    )
    return messages | options | tools
