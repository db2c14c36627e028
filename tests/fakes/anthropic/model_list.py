"""The models, newest first, in pages by cursor ids (anthropic.md section 7)."""

from typing import Any

from aiohttp import web

from .envelope import refuse
from .gate import allow_query, no_body
from .paging import cursor_page

CREATED = "2025-10-01T00:00:00Z"
# Names with their display names, and the most tokens that they read and write.
MODELS = {
    "claude-opus-4-7-20260401": ("Claude Opus 4.7", 1_000_000, 128_000),
    "claude-haiku-4-5-20251001": ("Claude Haiku 4.5", 200_000, 64_000),
    "claude-sonnet-4-5-20250929": ("Claude Sonnet 4.5", 200_000, 64_000),
}
ALIASES = {"claude-haiku-4-5": "claude-haiku-4-5-20251001"}
YES, NO = {"supported": True}, {"supported": False}


async def list_models(request: web.Request) -> web.Response:
    allow_query(request, "limit", "after_id", "before_id")
    await no_body(request)
    return cursor_page(request, [_model(name) for name in MODELS])


async def get_model(request: web.Request) -> web.Response:
    """By its id or an alias."""
    allow_query(request)
    await no_body(request)
    given = request.match_info["model"]
    name = ALIASES.get(given, given)
    if name not in MODELS:
        raise refuse(404, f"model: {given}")
    return web.json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    display_name, read, written = MODELS[name]
    adaptive = YES if "opus" in name else NO
    return {
        "type": "model",
        "id": name,
        "display_name": display_name,
        "created_at": CREATED,
        "lifecycle": "active",
        "line": None,
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": read,
        "max_tokens": written,
        "capabilities": {
            "batch": YES,
            "citations": YES,
            "code_execution": NO,
            "context_management": {"supported": False},
            "effort": {"supported": False},
            "image_input": YES,
            "pdf_input": YES,
            "server_tools": {"supported": False},
            "structured_outputs": YES,
            "thinking": {**YES, "types": {"adaptive": adaptive, "enabled": YES}},
        },
    }
