"""What the demo asks. The fakes echo each question, and fail if the text asks them to."""

from collections.abc import Callable
from typing import Any

QUESTIONS = {
    "capital": "What is the capital of France?",
    "sum": "What is 2+2?",
    "broken": "please fail",
}
"""By key."""

CAPITAL = {
    "type": "OBJECT",
    "properties": {"country": {"type": "STRING"}, "capital": {"type": "STRING"}},
    "required": ["country", "capital"],
}


Line = dict[str, Any]
Lines = Callable[[str], list[Line]]
"""The questions as lines of a file, for a model."""


def gemini_lines(model: str) -> list[Line]:
    return [
        {"key": key, "request": {"contents": [_content(question)]}}
        for key, question in QUESTIONS.items()
    ]


def openai_lines(model: str) -> list[Line]:
    """OpenAI's own format, which goes to OpenAI unchanged."""
    return [
        {
            "custom_id": key,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": model, "messages": [{"role": "user", "content": question}]},
        }
        for key, question in QUESTIONS.items()
    ]


def anthropic_lines(model: str) -> list[Line]:
    """Anthropic's own format. Anthropic has no batches from files, so the proxy reads the file."""
    return [
        {
            "custom_id": key,
            "params": {
                "model": model,
                "max_tokens": 100,
                "messages": [{"role": "user", "content": question}],
            },
        }
        for key, question in QUESTIONS.items()
    ]


def mistral_lines(_: str) -> list[Line]:
    """Mistral's own format; only the batch names the model."""
    return [
        {"custom_id": key, "body": {"messages": [{"role": "user", "content": question}]}}
        for key, question in QUESTIONS.items()
    ]


def bedrock_lines(model: str) -> list[Line]:
    """Bedrock's own format, for Converse; only the batch names the model."""
    return [
        {
            "recordId": key,
            "modelInput": {"messages": [{"role": "user", "content": [{"text": question}]}]},
        }
        for key, question in QUESTIONS.items()
    ]


def many_lines(count: int) -> list[Line]:
    return [
        {"key": f"sum-{n}", "request": {"contents": [_content(f"What is {n}+{n}?")]}}
        for n in range(count)
    ]


def inline_requests() -> list[Any]:
    look_up = {"name": "look_up", "parameters": CAPITAL, "description": "Looks a capital up."}
    modalities = {"response_modalities": ["TEXT"]}
    return [
        _request("plain", "What is 2+2?", {**modalities, "system_instruction": "Be brief."}),
        _request(
            "schema",
            "Name a capital.",
            {"response_mime_type": "application/json", "response_schema": CAPITAL},
        ),
        _request(
            "tool",
            "Now call the tool.",
            {**modalities, "tools": [{"function_declarations": [look_up]}]},
        ),
    ]


def _request(name: str, text: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [_content(text)], "config": config, "metadata": {"question": name}}


def _content(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}
