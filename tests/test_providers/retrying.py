"""Retries without pauses."""

from typing import Final

from tenacity import wait_none

from providers.retries import Retries


async def no_sleep(_: float) -> None:
    """Also where a refusal names a time."""


AT_ONCE: Final = Retries(pause=wait_none(), sleep=no_sleep)
