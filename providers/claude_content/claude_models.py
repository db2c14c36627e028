"""What a Claude model refuses in the Messages API. Only this module reads names of models.

Anthropic checks the requests of a batch when it processes them, so the proxy refuses early what is
known to fail. For a name without a known version (an alias, a newer family) nothing is refused
here, and Anthropic decides. The sources are in anthropic.md section 1. Unverified: the exact first
version of each family; the constants below isolate them.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

Version: TypeAlias = tuple[int, int]

# claude-opus-4-7, claude-sonnet-4-5-20250929, claude-opus-4-20250514 (the date is not a version).
_NUMBERED: Final = re.compile(r"claude-(opus|sonnet|haiku|fable)-(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)")
# claude-3-7-sonnet-20250219, claude-2.1: older names, in which the version comes first.
_EARLY: Final = re.compile(r"claude-(?:instant|[123](?!\d))")
_ALWAYS_THINKING: Final = re.compile(r"claude-(?:fable|mythos)")

_NO_SAMPLING: Final[Mapping[str, Version]] = {"opus": (4, 7), "sonnet": (5, 0), "haiku": (5, 5)}
_NO_BUDGET: Final[Mapping[str, Version]] = {"opus": (4, 7), "sonnet": (5, 0), "haiku": (5, 0)}
_ADAPTIVE: Final[Mapping[str, Version]] = {
    "opus": (4, 6),
    "sonnet": (4, 6),
    "haiku": (5, 0),
    "fable": (0, 0),
}
_NO_DISABLED: Final[Mapping[str, Version]] = {"opus": (5, 5), "sonnet": (5, 5)}
_NO_FORCED_TOOL: Final[Mapping[str, Version]] = {
    "opus": (5, 5),
    "sonnet": (5, 5),
    "fable": (5, 1),
}
_TEMPERATURE_OR_TOP_P: Final[Version] = (4, 1)


def refuses_sampling(model: str) -> bool:
    """Whether temperature, top_p and top_k are errors."""
    return _always_thinks(model) or _from(model, _NO_SAMPLING)


def refuses_temperature_with_top_p(model: str) -> bool:
    """Whether the two together are an error, for a model that accepts each alone."""
    return _from(model, dict.fromkeys(_NO_SAMPLING, _TEMPERATURE_OR_TOP_P))


def refuses_thinking_budget(model: str) -> bool:
    """Whether enabled thinking with a budget is an error."""
    return _always_thinks(model) or _from(model, _NO_BUDGET)


def refuses_adaptive_thinking(model: str) -> bool:
    """Whether the model is known to be older than adaptive thinking."""
    numbered = _NUMBERED.search(model) is not None
    return _EARLY.search(model) is not None or (numbered and not _from(model, _ADAPTIVE))


def refuses_disabled_thinking(model: str) -> bool:
    """Whether thinking that is disabled is an error."""
    return _always_thinks(model) or _from(model, _NO_DISABLED)


def refuses_forced_tool(model: str) -> bool:
    """Whether a forced tool is an error, whatever the request says about thinking."""
    return _from(model, _NO_FORCED_TOOL)


def _always_thinks(model: str) -> bool:
    return _ALWAYS_THINKING.search(model) is not None


def _from(model: str, first: Mapping[str, Version]) -> bool:
    """Whether the model's version is its family's version in `first`, or later."""
    found = _NUMBERED.search(model)
    if found is None:
        return False
    family, major, minor = found.groups(default="0")
    return family in first and (int(major), int(minor)) >= first[family]
