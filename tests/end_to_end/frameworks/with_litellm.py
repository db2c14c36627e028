"""LiteLLM."""

import json
from functools import partial
from typing import Any

import litellm

from tests.end_to_end.frameworks.forecast import weather
from tests.end_to_end.frameworks.picture import DATA_URL

WEATHER = {
    "name": "weather",
    "description": "What the weather is in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}

completion = partial(partial, litellm.completion)
"""The row's call lacks the messages."""


def prompt(complete: Any, model: str, text: str) -> Any:
    return answer(complete, [{"role": "user", "content": text}]).content


def stream(complete: Any, model: str, text: str) -> Any:
    chunks = complete(messages=[{"role": "user", "content": text}], stream=True)
    return [chunk.choices[0].delta.content or "" for chunk in chunks]


def call_tool(complete: Any, model: str, text: str) -> Any:
    tools = [{"type": "function", "function": WEATHER}]
    turns: list[Any] = [{"role": "user", "content": text}]
    turns.append(answer(complete, turns, tools=tools))
    for call in turns[-1].tool_calls:
        result = weather(**json.loads(call.function.arguments))
        turns.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return answer(complete, turns, tools=tools).content


def see_image(complete: Any, model: str, text: str) -> Any:
    image = {"type": "image_url", "image_url": {"url": DATA_URL}}
    parts = [{"type": "text", "text": text}, image]
    return answer(complete, [{"role": "user", "content": parts}]).content


def answer(complete: Any, turns: list[Any], **more: Any) -> Any:
    return complete(messages=turns, **more).choices[0].message
