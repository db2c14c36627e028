"""smolagents."""

from typing import Any

from smolagents import LiteLLMModel, ToolCallingAgent, tool

from tests.end_to_end.frameworks.forecast import weather

__all__ = ["LiteLLMModel"]


def prompt(llm: Any, model: str, text: str) -> Any:
    return llm.generate(messages(text)).content


def stream(llm: Any, model: str, text: str) -> Any:
    return [delta.content or "" for delta in llm.generate_stream(messages(text))]


def call_tool(llm: Any, model: str, text: str) -> Any:
    """The fakes' models call a tool at each step, so the agent asks for an answer at last."""
    agent = ToolCallingAgent(tools=[tool(weather)], model=llm, max_steps=2, verbosity_level=0)
    return agent.run(text)


def messages(text: str) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]
