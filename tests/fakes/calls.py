"""What every call is checked for: its query parameters, and a JSON body or none."""

import re
from typing import Any

from aiohttp import hdrs, web

from .intake import read_json
from .shape import ShapeError

JSON_TYPE = re.compile(r"application/json(; *charset=utf-8)?", re.IGNORECASE)


def allow_query(request: web.Request, *names: str, lists: tuple[str, ...] = ()) -> None:
    """Refuse parameters of other names, and any but `lists` given twice; raises ShapeError."""
    for name in request.query:
        if name not in names + lists:
            raise ShapeError("unknown", name, f"Unknown query parameter: '{name}'.")
        if name not in lists and len(request.query.getall(name)) > 1:
            raise ShapeError("value", name, f"Query parameter '{name}' was given twice.")


async def read_object(request: web.Request) -> Any:
    if not JSON_TYPE.fullmatch(request.headers.get(hdrs.CONTENT_TYPE, "")):
        raise ShapeError("type", "", "The Content-Type must be application/json.")
    return await read_json(request)


async def no_body(request: web.Request) -> None:
    """Refuse a body, for calls that take none. Official SDKs may send an empty object."""
    if request.body_exists and await _read_json_or_nothing(request) not in (None, {}):
        raise ShapeError("value", "", "This call takes no body.")


async def _read_json_or_nothing(request: web.Request) -> Any:
    return None if request.content_length == 0 else await read_json(request)
