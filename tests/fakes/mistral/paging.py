"""Numbered pages: `page` from 0, and `page_size`."""

import re
from typing import Any

from aiohttp import web

from ..shape import ShapeError
from .store import STORE

# Unverified: the largest size. It is the default here, the stricter of the two.
LARGEST = 100
BOOLEANS = {"true": True, "false": False}


def whole(request: web.Request, name: str, default: int, low: int, high: int) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
        raise ShapeError("value", name, f"{name} must be within {low}..{high}.")
    return int(text)


def flag(request: web.Request, name: str, default: str) -> bool:
    text = request.query.get(name, default)
    if text not in BOOLEANS:
        raise ShapeError("value", name, f"{name} must be true or false.")
    return BOOLEANS[text]


def choices(request: web.Request, name: str, known: tuple[str, ...]) -> list[str]:
    """The values of a parameter that may be repeated."""
    given = request.query.getall(name, [])
    for text in given:
        if text not in known:
            raise ShapeError("value", name, f"{text!r} is not one of {known}.")
    return given


def numbered_page(request: web.Request, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One page of `items`, which are in the order listed."""
    page = whole(request, "page", 0, 0, 10**9)
    size = whole(request, "page_size", LARGEST, 1, LARGEST)
    size = min(size, request.app[STORE].settings.page_limit or size)
    return items[page * size : (page + 1) * size]
