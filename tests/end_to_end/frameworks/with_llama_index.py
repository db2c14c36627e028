"""LlamaIndex."""

from typing import Any

from google.genai import types
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.google_genai import GoogleGenAI

from tests.end_to_end.frameworks.forecast import Forecast, weather
from tests.end_to_end.frameworks.picture import PNG

__all__ = ["GoogleGenAI", "types"]


def prompt(llm: Any, model: str, text: str) -> Any:
    return llm.complete(text).text


def stream(llm: Any, model: str, text: str) -> Any:
    return [piece.delta for piece in llm.stream_complete(text)]


def call_tool(llm: Any, model: str, text: str) -> Any:
    return str(llm.predict_and_call([FunctionTool.from_defaults(weather)], text))


def see_image(llm: Any, model: str, text: str) -> Any:
    image = ImageBlock(image=PNG, image_mimetype="image/png")
    return llm.chat([ChatMessage(blocks=[TextBlock(text=text), image])]).message.content


def structured(llm: Any, model: str, text: str) -> Any:
    asked = [ChatMessage(text)]
    return llm.as_structured_llm(Forecast).chat(asked).raw.model_dump()
