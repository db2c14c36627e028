"""The models. Their list is never empty, and has no pages (mistral.md section 7).

Every capability that a model lacks is false.
"""

from typing import Any

from aiohttp import web

from ..shape import ShapeError
from .envelope import refuse

CREATED = 1_721_172_741
CAPABILITIES = (
    "completion_chat",
    "function_calling",
    "reasoning",
    "completion_fim",
    "fine_tuning",
    "vision",
    "ocr",
    "classification",
    "moderation",
    "audio",
    "audio_transcription",
    "audio_transcription_realtime",
    "audio_speech",
    "unified_resources",
)
# Names with what they can do, how much they read, and their usual temperature.
MODELS: dict[str, tuple[tuple[str, ...], int, float | None]] = {
    "mistral-small-latest": (("completion_chat", "function_calling", "vision"), 131_072, 0.3),
    "mistral-embed": ((), 8_192, None),
    "codestral-latest": (("completion_chat", "completion_fim"), 256_000, 0.3),
    "mistral-ocr-latest": (("ocr", "vision"), 16_384, 0.0),
}


async def list_models(request: web.Request) -> web.Response:
    _without_query(request)
    return web.json_response({"object": "list", "data": [_model(name) for name in MODELS]})


async def get_model(request: web.Request) -> web.Response:
    _without_query(request)
    name = request.match_info["model"]
    if name not in MODELS:
        raise refuse(404, f"Model {name} not found.", param="model", code="unknown_model")
    return web.json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    can, length, temperature = MODELS[name]
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": "mistralai",
        "capabilities": {each: each in can for each in CAPABILITIES},
        "name": name,
        "description": f"The model {name}.",
        "max_context_length": length,
        "aliases": [],
        "deprecation": None,
        "default_model_temperature": temperature,
        "internal": False,
        "billing_model_name": None,
        "type": "base",
        "audio_transcription_capabilities": None,
        "audio_speech_capabilities": None,
    }


def _without_query(request: web.Request) -> None:
    for name in request.query:
        raise ShapeError("unknown", name, f"{name} is not a parameter of this call.")
