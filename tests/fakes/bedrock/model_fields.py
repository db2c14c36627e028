"""What Converse passes on to a model unchanged: `additionalModelRequestFields`, and the effort.

translation.md section 2. Unverified, and only here: which other fields a family takes.
"""

from typing import Any

from ..anthropic.request_rules import COUNT, SHORTEST_BUDGET, THINKING
from ..shape import Number, Record, Sequence, Text
from .models import Model
from .sentences import ModelError

FIELDS = {
    "anthropic.claude": Record(
        {"top_k": COUNT, "thinking": THINKING, "anthropic_beta": Sequence(Text(low=1))}
    ),
    "amazon.nova": Record(
        {"inferenceConfig": Record({"topK": Number(low=1, high=128, whole=True)})}
    ),
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING_ON = ("enabled", "adaptive")


def thinking_of(body: dict[str, Any]) -> dict[str, Any]:
    fields = body.get("additionalModelRequestFields") or {}
    thinking: dict[str, Any] = fields.get("thinking", {"type": "disabled"})
    return thinking


def check_model_fields(body: dict[str, Any], model: Model) -> None:
    """Raises ShapeError, ModelError."""
    fields = body.get("additionalModelRequestFields")
    if fields is None:
        return
    FIELDS.get(model.family, Record({})).parse(fields, "additionalModelRequestFields")
    if model.claude:
        _check_thinking(body, model)


def _check_thinking(body: dict[str, Any], model: Model) -> None:
    thinking = thinking_of(body)
    assert model.claude is not None
    if thinking["type"] not in model.claude.thinking:
        raise ModelError(f"thinking.type: `{thinking['type']}` is not supported by this model.")
    if thinking["type"] not in THINKING_ON:
        return
    limit = body.get("inferenceConfig", {}).get("maxTokens")
    if limit is not None and thinking.get("budget_tokens", SHORTEST_BUDGET) >= limit:
        raise ModelError("thinking.budget_tokens must be less than maxTokens")
    if body.get("toolConfig", {}).get("toolChoice", {}).keys() & {"any", "tool"}:
        raise ModelError("Thinking may not be enabled when a tool use is forced.")
    sampling = body.get("inferenceConfig", {})
    if sampling.get("temperature", 1) != 1 or "top_k" in body["additionalModelRequestFields"]:
        raise ModelError("`temperature` and `top_k` may not be set with thinking.")


def check_effort(body: dict[str, Any], model: Model) -> None:
    """Raises ModelError."""
    effort = body.get("outputConfig", {}).get("effort")
    if effort is None:
        return
    if model.claude is None or not model.claude.takes_effort:
        raise ModelError("This model does not support the effort parameter.")
    if effort not in EFFORTS:
        raise ModelError(f"outputConfig.effort: {effort!r} is not one of {EFFORTS}")
