"""Page tokens: the encoded position of a page, usually the native id before it."""

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeAlias, TypeVar

from providers.errors import FerryError, invalid_argument
from providers.json_api.client import Answer
from providers.resource_names import NATIVE_ID
from providers.upstream import invalid_answer

T = TypeVar("T")

Filter: TypeAlias = Callable[[Sequence[Answer]], Awaitable[list[Answer]]]
Pages: TypeAlias = AsyncGenerator[Sequence[tuple[Answer, str]], None]
"""The pages of a provider's list; each object with the position behind it."""


async def filled_page(
    pages: Pages, page_size: int, shown: Filter
) -> tuple[list[Answer], str | None]:
    """`page_size` objects that `shown` keeps, and the token of the next page.

    There is a token only if more objects can be shown, because an empty page breaks the Python
    SDK's pager. `shown` may ask the state store about each object, so it gets only as many as are
    likely to be needed.
    """
    listed: list[tuple[Answer, str]] = []
    async with aclosing(pages):
        async for page in pages:
            for part in in_parts(page, page_size + 1):
                positions = {native.id: position for native, position in part}
                kept = await shown([native for native, _ in part])
                listed += [(native, positions[native.id]) for native in kept]
                if len(listed) > page_size:
                    token = encode_page_token(listed[page_size - 1][1])
                    return [native for native, _ in listed[:page_size]], token
    return [native for native, _ in listed], None


def in_parts(page: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (page[begin : begin + size] for begin in range(0, len(page), size))


def encode_page_token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).rstrip(b"=").decode()


def decode_page_token(token: str, expected: re.Pattern[str] = NATIVE_ID) -> str:
    """The encoded position. Raises INVALID_ARGUMENT for any other text."""
    try:
        padded = token + "=" * (-len(token) % 4)
        after = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        after = ""
    if not expected.fullmatch(after):
        raise no_token()
    return after


def leading_on(upstream: str, asked: str | None, found: str | None) -> str | None:
    """`found`, the upstream's token for the next page; `asked` is the token of this page.

    Raises UNAVAILABLE if both are the same: the list would never end.
    """
    if found is not None and found == asked:
        raise invalid_answer(f"{upstream} returned the token of the same page again")
    return found


def no_token() -> FerryError:
    return invalid_argument("not a page token of this list", path="pageToken")
