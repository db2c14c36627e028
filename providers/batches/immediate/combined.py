"""The immediate batches of an upstream together with its own batches."""

import re
from collections.abc import Sequence
from typing import Final

from providers.batches.batch_target import BatchTarget, FoundBatch
from providers.batches.immediate.job import is_immediate
from providers.batches.immediate.jobs import ImmediateJobs
from providers.batches.repeats import Attempt
from providers.credential import Caller
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.resources import Batch, NewBatch, Page

# Which of the two lists a page token continues.
_IMMEDIATE: Final = "i."
_OWN: Final = "j."
# What a token encodes: all providers' tokens are made by `encode_page_token`.
_ANY: Final = re.compile(r"[!-~]{1,6000}")
_TOKEN: Final = re.compile(r"[ij]\.[!-~]{0,6000}")


class CombinedTarget:
    """Implements `BatchTarget`.

    `own` has the provider's own batches. It also creates both kinds of batches: only it knows which
    of them the provider can take.
    """

    def __init__(self, own: BatchTarget, immediate: ImmediateJobs) -> None:
        self._own = own
        self._immediate = immediate

    @property
    def name(self) -> str:
        return self._own.name

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        return await self._own.make(caller, batch, attempt)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        if is_immediate(batch_id):
            return await self._immediate.find(caller, batch_id)
        return await self._own.find(caller, batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """One list: first immediate batches, then the provider's own."""
        start = decode_page_token(page_token, _TOKEN) if page_token else _IMMEDIATE
        rest = start[len(_IMMEDIATE) :]
        if start.startswith(_OWN):
            token = encode_page_token(rest) if rest else None
            return await self._own_page(caller, [], page_size, token)
        batches, following = await self._immediate.list(caller, rest, page_size)
        if following is not None:
            return Page(batches, encode_page_token(f"{_IMMEDIATE}{following}"))
        return await self._own_page(caller, batches, page_size, None)

    async def _own_page(
        self, caller: Caller, before: Sequence[Batch], page_size: int, token: str | None
    ) -> Page[Batch]:
        """Fill up a page that begins with the batches `before`."""
        space = page_size - len(before)
        page = await self._own.page(caller, space or 1, token)
        if space == 0:  # the call only tells whether a page follows
            return Page(before, encode_page_token(_OWN) if page.items else None)
        following = page.next_page_token
        if following is not None:
            following = encode_page_token(f"{_OWN}{decode_page_token(following, _ANY)}")
        return Page([*before, *page.items], following)
