"""The model of a request in a batch, which has one model (translation.md section 0)."""

from typing import Any

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member


def require_model(request: dict[str, Any], model: str, path: str, provider: str) -> None:
    """Raises INVALID_ARGUMENT if the request at `path` names a model other than the batch's."""
    own = request.get("model", model).removeprefix("models/")
    if own != model.removeprefix("models/"):
        raise invalid_argument(
            f"differs from the batch's model; {provider} accepts one model in a batch",
            path=member(path, "model"),
        )
