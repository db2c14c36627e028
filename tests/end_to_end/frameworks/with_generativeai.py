"""Google's older SDK."""

import json
from typing import Any

from google.generativeai import GenerativeModel, configure
from typing_extensions import TypedDict

from tests.end_to_end.frameworks.forecast import weather
from tests.end_to_end.frameworks.picture import PNG

__all__ = ["configure"]


class Forecast(TypedDict):
    city: str
    days: int


def prompt(configured: None, model: str, text: str) -> Any:
    return GenerativeModel(model).generate_content(text).text


def stream(configured: None, model: str, text: str) -> Any:
    return [piece.text for piece in GenerativeModel(model).generate_content(text, stream=True)]


def call_tool(configured: None, model: str, text: str) -> Any:
    chat = GenerativeModel(model, tools=[weather]).start_chat(
        enable_automatic_function_calling=True
    )
    return chat.send_message(text).text


def see_image(configured: None, model: str, text: str) -> Any:
    image = {"mime_type": "image/png", "data": PNG}
    return GenerativeModel(model).generate_content([text, image]).text


def structured(configured: None, model: str, text: str) -> Any:
    config = {"response_mime_type": "application/json", "response_schema": Forecast}
    return json.loads(GenerativeModel(model).generate_content(text, generation_config=config).text)
