"""Marks a request to Claude for the prompt cache."""

from typing import Any

from providers.prompt_cache import CacheLife


def marked_for_cache(params: dict[str, Any], life: CacheLife | None) -> dict[str, Any]:
    """`params`, with a breakpoint after the tools and one after the system instruction.

    Claude reads tools first, so each ends a prefix of its own; four breakpoints are allowed. What
    is shorter than the model's minimum is not cached, and that is no error.
    """
    if life is None:
        return params
    control = {"type": "ephemeral"}
    if life is CacheLife.ONE_HOUR:
        control["ttl"] = str(life)
    marked = {
        member: [*params[member][:-1], params[member][-1] | {"cache_control": control}]
        for member in ("tools", "system")
        if params.get(member)
    }
    return params | marked
