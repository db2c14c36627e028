"""The Python runner's single requests and chats; `sdk_process.py` describes the calls."""

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

from google.genai import types

Args = dict[str, Any]


def weather(place: str) -> str:
    """What the weather is like."""
    return f"sunny in {place}"


async def count_tokens(client: Any, args: Args) -> Any:
    counted = client.models.count_tokens(model=args["model"], contents=contents_of(args))
    return plain(await settled(counted))


async def generate(client: Any, args: Args) -> Any:
    answered = client.models.generate_content(
        model=args["model"], contents=contents_of(args), config=config_of(args)
    )
    return plain(await settled(answered))


async def stream(client: Any, args: Args) -> Any:
    return {"items": [plain(chunk) async for chunk in chunks(begin(client, args))]}


async def stream_and_leave(client: Any, args: Args) -> Any:
    """Leaves as programs do: out of the loop, and in asyncio by a cancelled task."""
    begun = begin(client, args)
    if not inspect.isawaitable(begun):
        for chunk in begun:
            return {"item": plain(chunk)}
        raise ValueError("the stream is empty")
    arrived: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        async for chunk in await begun:
            if not arrived.done():
                arrived.set_result(plain(chunk))

    reading = asyncio.create_task(read())
    first = await arrived
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    return {"item": first}


async def talk(client: Any, args: Args) -> Any:
    chat = client.chats.create(model=args["model"], config=config_of(args))
    items = []
    for text in args["messages"]:
        if args["stream"]:
            answers = [chunk async for chunk in chunks(chat.send_message_stream(text))]
        else:
            answers = [await settled(chat.send_message(text))]
        usage = answers[-1].usage_metadata
        asked = usage.prompt_token_count if usage else None
        said = "".join(text_of(answer) for answer in answers)
        items.append({"text": said, "promptTokenCount": asked})
    return {"items": items, "history": [plain(turn) for turn in chat.get_history(curated=True)]}


def begin(client: Any, args: Args) -> Any:
    return client.models.generate_content_stream(
        model=args["model"], contents=contents_of(args), config=config_of(args)
    )


def contents_of(args: Args) -> list[types.Content]:
    # As JSON, because only there is `data` in base64.
    return [types.Content.model_validate_json(json.dumps(one)) for one in args["contents"]]


def config_of(args: Args) -> types.GenerateContentConfig:
    tools = {"tools": [weather]} if args.get("tool") else {}
    return types.GenerateContentConfig.model_validate({**args.get("config", {}), **tools})


async def chunks(begun: Any) -> AsyncIterator[Any]:
    begun = await settled(begun)
    if hasattr(begun, "__aiter__"):
        async for chunk in begun:
            yield chunk
    else:
        for chunk in begun:
            yield chunk


def text_of(answer: types.GenerateContentResponse) -> str:
    """Without the warning that `answer.text` gives where there are other parts."""
    content = answer.candidates[0].content if answer.candidates else None
    parts = content.parts or [] if content else []
    return "".join(part.text or "" for part in parts if not part.thought)


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def plain(result: Any) -> Any:
    return result.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"}
    )
