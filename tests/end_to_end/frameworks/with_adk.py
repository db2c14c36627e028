"""Google's Agent Development Kit."""

import asyncio
import json
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types

from tests.end_to_end.frameworks.forecast import Forecast, weather
from tests.end_to_end.frameworks.picture import PNG

__all__ = ["Gemini"]


def prompt(gemini: Any, model: str, text: str) -> Any:
    return "".join(ask(text, model=gemini))


def stream(gemini: Any, model: str, text: str) -> Any:
    *pieces, whole = ask(text, mode=StreamingMode.SSE, model=gemini)
    assert whole == "".join(pieces)
    return pieces


def call_tool(gemini: Any, model: str, text: str) -> Any:
    return "".join(ask(text, model=gemini, tools=[weather]))


def see_image(gemini: Any, model: str, text: str) -> Any:
    image = types.Part.from_bytes(data=PNG, mime_type="image/png")
    return "".join(ask(text, image, model=gemini))


def structured(gemini: Any, model: str, text: str) -> Any:
    return json.loads("".join(ask(text, model=gemini, output_schema=Forecast)))


def ask(
    text: str, *more: types.Part, mode: StreamingMode = StreamingMode.NONE, **agent: Any
) -> list[str]:
    """The texts of the events. With SSE these are the pieces, and at last the whole."""
    runner = InMemoryRunner(agent=LlmAgent(name="agent", **agent), app_name="app")

    async def run() -> list[str]:
        session = await runner.session_service.create_session(app_name="app", user_id="user")
        events = runner.run_async(
            user_id="user",
            session_id=session.id,
            new_message=types.Content(role="user", parts=[types.Part(text=text), *more]),
            run_config=RunConfig(streaming_mode=mode),
        )
        return [said async for event in events if (said := text_of(event))]

    return asyncio.run(run())


def text_of(event: Any) -> str:
    assert not event.error_code, event.error_message
    return "".join(part.text or "" for part in event.content.parts) if event.content else ""
