"""What a client gets for an answer of which nothing can be used, whole or as a stream."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest

from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.chat_stream import ChatStream
from providers.prompts.stream import translated
from providers.prompts.translation import from_provider
from providers.status import Status
from providers.upstream import UpstreamError

AUDIO = {"audio": {"id": "a"}}
ODD = {"content": 1}
# SDKs send a request again after UNAVAILABLE, but the first answer would be the same again.
STATUSES = [(AUDIO, Status.UNIMPLEMENTED), (ODD, Status.UNAVAILABLE)]


@pytest.mark.parametrize(("message", "status"), STATUSES)
async def test_a_whole_answer(message: dict[str, Any], status: Status) -> None:
    answer = orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    with pytest.raises(UpstreamError) as refused:
        await from_provider("a-name", answer, from_openai_chat)
    assert refused.value.status is status
    assert refused.value.message.startswith("a-name: the provider's answer could not be read: ")


@pytest.mark.parametrize(
    ("choices", "status"),
    [
        ([{"delta": AUDIO, "finish_reason": "stop"}], Status.UNIMPLEMENTED),
        (1, Status.UNAVAILABLE),
    ],
)
async def test_a_stream(choices: object, status: Status) -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield orjson.dumps({"choices": choices})

    chunks = translated(events(), ChatStream(), str, bytes)
    with pytest.raises(UpstreamError) as refused:
        await anext(chunks)
    assert refused.value.status is status
