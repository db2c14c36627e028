from typing import Any

import pytest

from providers.bedrock.content.prompt_cache import cache_of, with_cache_points
from providers.errors import FerryError
from providers.prompt_cache import CACHE_HEADER, CacheLife

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-lite-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
SHORT, LONG = CacheLife.FIVE_MINUTES, CacheLife.ONE_HOUR

TOOL = {"toolSpec": {"name": "f"}}
POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
BODY: dict[str, Any] = {
    "messages": [{"role": "user", "content": [{"text": "a"}]}],
    "system": [{"text": "b"}],
    "toolConfig": {"tools": [TOOL], "toolChoice": {"auto": {}}},
}


@pytest.mark.parametrize(
    ("model", "requested", "configured", "found"),
    [
        (CLAUDE, None, None, None),
        (CLAUDE, SHORT, None, SHORT),
        (CLAUDE, SHORT, LONG, SHORT),
        (CLAUDE, None, LONG, LONG),
        (NOVA, SHORT, None, SHORT),
        (NOVA, None, SHORT, SHORT),
        (NOVA, None, LONG, None),
        (LLAMA, None, SHORT, None),
        (PROFILE, None, SHORT, None),
    ],
)
def test_the_cache_of_a_model(
    model: str,
    requested: CacheLife | None,
    configured: CacheLife | None,
    found: CacheLife | None,
) -> None:
    assert cache_of(model, requested, configured) is found


@pytest.mark.parametrize(("model", "requested"), [(NOVA, LONG), (LLAMA, SHORT), (PROFILE, SHORT)])
def test_a_cache_that_the_model_lacks_is_refused(model: str, requested: CacheLife) -> None:
    with pytest.raises(FerryError, match=f"remove {CACHE_HEADER}$") as refused:
        cache_of(model, requested, None)
    assert refused.value.code == 400


def test_points_after_the_tools_and_the_system_instruction() -> None:
    assert with_cache_points(BODY, CLAUDE, LONG) == BODY | {
        "system": [{"text": "b"}, HOUR],
        "toolConfig": {"tools": [TOOL, HOUR], "toolChoice": {"auto": {}}},
    }


def test_nova_caches_no_tools() -> None:
    assert with_cache_points(BODY, NOVA, SHORT) == BODY | {"system": [{"text": "b"}, POINT]}


def test_what_is_absent_is_not_marked() -> None:
    body = {"messages": BODY["messages"]}
    assert with_cache_points(body, CLAUDE, SHORT) == body
    assert with_cache_points(BODY, CLAUDE, None) is BODY
