from typing import Any

from providers.openai_content.chat_from_openai import from_openai_chat


def candidate_of(message: dict[str, Any], finish: Any = "stop") -> Any:
    """The candidate for a completion with this one message."""
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    (candidate,) = from_openai_chat({"choices": [choice]})["candidates"]
    return candidate


def call_of(arguments: Any, **fields: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function} | fields
