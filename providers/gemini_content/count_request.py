"""Gemini's CountTokensRequest -> the GenerateContentRequest that is to be counted."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.normalise import normalise_generate
from providers.gemini_content.unsupported import require_model
from providers.json_api.unknown_members import unknown_member

_WHOLE: Final = "generateContentRequest"
_MEMBERS: Final = frozenset({"model", "contents", _WHOLE, "generate_content_request"})


def normalise_count(body: dict[str, Any], model: str, provider: str) -> tuple[dict[str, Any], str]:
    """The normalised request, and its JSON path.

    Raises INVALID_ARGUMENT as `normalise_generate` does, and for a model other than `model`.
    """
    for name in body:
        if name not in _MEMBERS:
            raise unknown_member(name, _MEMBERS, name)
    given = [name for name in body if name.startswith("generate") and body[name] is not None]
    if not given:
        contents_alone = {"model": body.get("model"), "contents": body.get("contents")}
        return normalise_generate(contents_alone, ""), ""
    if len(given) > 1:
        raise invalid_argument(f"{_WHOLE} is given twice", path=given[1])
    if body.get("contents"):
        raise invalid_argument(f"give contents or {_WHOLE}, not both", path="contents")
    whole = normalise_generate(body[given[0]], _WHOLE)
    require_model({"model": body.get("model") or model}, model, "", provider)
    require_model(whole, model, _WHOLE, provider)
    return whole, _WHOLE
