"""Claude's native body: a Messages request without the fields that Bedrock itself sets.

translation.md section 2. Anthropic's fake has the rules and the answers.
"""

from typing import Any

from ..anthropic.answers import answer, last_text
from ..anthropic.dialect import OLD, Dialect
from ..anthropic.envelope import shape_text
from ..anthropic.request_rules import parse_params
from ..prompt_cache import Cached
from ..refusal import Refusal
from ..shape import Sequence, ShapeError, Text
from .models import Model
from .sentences import ModelError

VERSION = Text(choices=["bedrock-2023-05-31"])
BETAS = Sequence(Text(low=1))
# The first is in Bedrock's path; streams and the others do not exist here.
NOT_ON_BEDROCK = ("model", "stream", "service_tier", "inference_geo", "container", "speed")


def parse_claude(body: dict[str, Any], model: Model) -> dict[str, Any]:
    """The Messages request, its turns merged; raises ModelError."""
    assert model.claude is not None
    try:
        if "anthropic_version" not in body:
            raise ShapeError("missing", "anthropic_version", "Field required")
        VERSION.parse(body["anthropic_version"], "anthropic_version")
        betas = frozenset(BETAS.parse(body.get("anthropic_beta", []), "anthropic_beta"))
        for name in NOT_ON_BEDROCK:
            if name in body:
                raise ShapeError("unknown", name, "Extra inputs are not permitted")
        kept = {n: v for n, v in body.items() if n not in ("anthropic_version", "anthropic_beta")}
        params = {**kept, "model": model.claude.name}
        asked = parse_params(params, Dialect(OLD, betas), _no_files)
        _check_no_links(asked["messages"])
    except ShapeError as wrong:
        raise ModelError(shape_text(wrong)) from None
    except Refusal as refusal:
        raise ModelError(refusal.payload["message"]) from None
    return asked


def _no_files(file_id: str) -> str:
    raise ShapeError("value", "messages", f"there is no Files API on Bedrock: {file_id}")


def _check_no_links(value: Any) -> None:
    """Unverified: on Bedrock an image or a document is in the request itself."""
    if isinstance(value, list):
        for inner in value:
            _check_no_links(inner)
    elif isinstance(value, dict):
        source = value.get("source")
        if isinstance(source, dict) and source.get("type") == "url":
            raise ShapeError("value", "messages", "sources of type `url` are not supported")
        _check_no_links(value.get("content"))


def text_of_claude(asked: dict[str, Any]) -> str:
    return last_text(asked["messages"])


def answer_claude(
    asked: dict[str, Any], model: Model, seed: str, answer_bytes: int, cached: Cached
) -> dict[str, Any]:
    """The Message; raises ModelError."""
    try:
        message = answer(asked, seed, answer_bytes, cached)
    except Refusal as refusal:
        raise ModelError(refusal.payload["message"]) from None
    usage = {name: count for name, count in message["usage"].items() if name != "service_tier"}
    native_id = message["id"].replace("msg_", "msg_bdrk_")  # Unverified
    return message | {"id": native_id, "model": model.release, "usage": usage}
