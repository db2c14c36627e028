"""The body of a chat completion -> that of a request to OpenAI's /v1/responses.

The two APIs write the same things in different forms. So Gemini's fields are translated once, by
the rules of a `Dialect`, and only the form is changed here.
"""

from collections.abc import Iterator
from typing import Any, Final

_REWRITTEN: Final = frozenset({"messages", "tools", "tool_choice", "response_format", "logprobs"})
_REASONING: Final = {"reasoning_effort": "effort", "reasoning_summary": "summary"}


def to_responses(chat: dict[str, Any]) -> dict[str, Any]:
    """The other members are copied, under the names that the dialect gave them.

    OpenAI keeps no answer, because Gemini keeps none either.
    """
    moved = _REWRITTEN | _REASONING.keys()
    body = {name: value for name, value in chat.items() if name not in moved}
    body["store"] = False
    body["input"] = [item for message in chat["messages"] for item in _items(message)]
    if "tools" in chat:
        body["tools"] = [_tool(tool["function"]) for tool in chat["tools"]]
    if "tool_choice" in chat:
        body["tool_choice"] = _tool_choice(chat["tool_choice"])
    if "response_format" in chat:
        body["text"] = {"format": _format(chat["response_format"])}
    if chat.get("logprobs"):
        body["include"] = ["message.output_text.logprobs"]
    reasoning = {name: chat[member] for member, name in _REASONING.items() if member in chat}
    return body | ({"reasoning": reasoning} if reasoning else {})


def _items(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    role, content = message["role"], message.get("content")
    if role == "tool":
        call_id = message["tool_call_id"]
        yield {"type": "function_call_output", "call_id": call_id, "output": content}
        return
    if role == "assistant":
        yield from message.get("thoughts", ())
        # Its texts are messages of their own: as parts, each would need an id of OpenAI.
        texts = [content] if isinstance(content, str) else [part["text"] for part in content or ()]
        yield from ({"role": role, "content": text} for text in texts)
        yield from (_call(call) for call in message.get("tool_calls", ()))
        return
    parts = content if isinstance(content, str) else [_part(part) for part in content or ()]
    yield {"role": role, "content": parts}


def _call(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call["id"], **call["function"]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    match part["type"]:
        case "text":
            return {"type": "input_text", "text": part["text"]}
        case "image_url":
            url = part["image_url"]["url"]
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        case "image_file":
            return {"type": "input_image", "file_id": part["file_id"], "detail": "auto"}
        case "file":
            return {"type": "input_file", **part["file"]}
        case kind:
            raise NotImplementedError(kind)


def _tool(function: dict[str, Any]) -> dict[str, Any]:
    # Chat completions are lenient by default, responses are strict.
    return {"type": "function", "strict": False, **function}


def _tool_choice(choice: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "allowed_tools":
        allowed = choice["allowed_tools"]
        tools = [_tool_choice(tool) for tool in allowed["tools"]]
        return {"type": "allowed_tools", "mode": allowed["mode"], "tools": tools}
    return {"type": choice["type"], "name": choice["function"]["name"]}


def _format(response_format: dict[str, Any]) -> dict[str, Any]:
    return {"type": response_format["type"], **response_format.get("json_schema", {})}
