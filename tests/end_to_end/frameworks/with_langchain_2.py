"""LangChain 2.1, whose `with_structured_output` only works for models named gemini."""

from typing import Any

from langchain_core.output_parsers import PydanticToolsParser

from tests.end_to_end.frameworks.forecast import Forecast
from tests.end_to_end.frameworks.with_langchain import (
    ChatGoogleGenerativeAI,
    call_tool,
    prompt,
    see_image,
    stream,
)

__all__ = ["ChatGoogleGenerativeAI", "call_tool", "prompt", "see_image", "stream"]


def structured(chat: Any, model: str, text: str) -> Any:
    bound = chat.bind_tools([Forecast], tool_choice="Forecast")
    parser = PydanticToolsParser(tools=[Forecast], first_tool_only=True)
    return parser.invoke(bound.invoke(text)).model_dump()
