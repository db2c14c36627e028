"""Cache points in a request to Converse, and which models have a prompt cache.

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html. Unverified: that a job
uses the cache; a job whose usage shows reads would verify it.
"""

from typing import Any

from providers.bedrock.content.bedrock_models import ModelFamily, model_family
from providers.errors import invalid_argument
from providers.prompt_cache import CACHE_HEADER, CacheLife


def cache_of(
    model: str, requested: CacheLife | None, configured: CacheLife | None
) -> CacheLife | None:
    """What a request to `model` is marked with.

    The setting is for the models that have such a cache. Raises INVALID_ARGUMENT if a client asks
    for one that the model lacks.
    """
    if requested is None:
        return configured if configured is not None and _has_cache(model, configured) else None
    if not _has_cache(model, requested):
        raise invalid_argument(
            f"Bedrock has such a cache for Claude, and for Nova with "
            f"{CacheLife.FIVE_MINUTES}, if the id of the model names them: remove {CACHE_HEADER}"
        )
    return requested


def _has_cache(model: str, life: CacheLife) -> bool:
    family = model_family(model)
    is_short = life is CacheLife.FIVE_MINUTES
    return family is ModelFamily.CLAUDE or (family is ModelFamily.NOVA and is_short)


def with_cache_points(body: dict[str, Any], model: str, life: CacheLife | None) -> dict[str, Any]:
    """`body`, with a point after the tools, which Nova does not cache, and one after `system`."""
    if life is None:
        return body
    kind = {"type": "default"}
    if life is CacheLife.ONE_HOUR:
        kind["ttl"] = str(life)
    point = {"cachePoint": kind}
    marked: dict[str, Any] = {}
    if "system" in body:
        marked["system"] = [*body["system"], point]
    if "toolConfig" in body and model_family(model) is ModelFamily.CLAUDE:
        config = body["toolConfig"]
        marked["toolConfig"] = config | {"tools": [*config["tools"], point]}
    return body | marked
