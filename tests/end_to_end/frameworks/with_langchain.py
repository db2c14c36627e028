"""LangChain."""

from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from tests.end_to_end.frameworks.forecast import Forecast, weather
from tests.end_to_end.frameworks.picture import DATA_URL

__all__ = ["ChatGoogleGenerativeAI"]


def prompt(chat: Any, model: str, text: str) -> Any:
    return chat.invoke(text).content


def stream(chat: Any, model: str, text: str) -> Any:
    return [chunk.content for chunk in chat.stream(text)]


def call_tool(chat: Any, model: str, text: str) -> Any:
    bound = chat.bind_tools([weather])
    turns = [HumanMessage(text), bound.invoke(text)]
    turns += [
        ToolMessage(weather(**call["args"]), tool_call_id=call["id"], name=call["name"])
        for call in turns[-1].tool_calls
    ]
    return bound.invoke(turns).content


def see_image(chat: Any, model: str, text: str) -> Any:
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": DATA_URL}]
    return chat.invoke([HumanMessage(parts)]).content


def structured(chat: Any, model: str, text: str) -> Any:
    return chat.with_structured_output(Forecast).invoke(text).model_dump()
