"""Pydantic AI."""

import asyncio
from typing import Any

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from tests.end_to_end.frameworks.forecast import Forecast, weather
from tests.end_to_end.frameworks.picture import PNG

__all__ = ["GoogleModel", "GoogleProvider"]


def prompt(google: Any, model: str, text: str) -> Any:
    return Agent(google).run_sync(text).output


def stream(google: Any, model: str, text: str) -> Any:
    async def pieces() -> list[str]:
        async with Agent(google).run_stream(text) as answer:
            return [piece async for piece in answer.stream_text(delta=True, debounce_by=None)]

    return asyncio.run(pieces())


def call_tool(google: Any, model: str, text: str) -> Any:
    return Agent(google, tools=[weather]).run_sync(text).output


def see_image(google: Any, model: str, text: str) -> Any:
    return Agent(google).run_sync([text, BinaryContent(PNG, media_type="image/png")]).output


def structured(google: Any, model: str, text: str) -> Any:
    return Agent(google, output_type=Forecast).run_sync(text).output.model_dump()
