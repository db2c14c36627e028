"""Which Claude models there are, and what each of them refuses.

Sampling, disabled thinking and forced tools: anthropic.md section 1. Prefill: translation.md
section 1. For effort and the other types of thinking the first versions are assumed.
"""

import re
from dataclasses import dataclass

from ..refusal import Refusal
from .envelope import refuse

NAME = re.compile(
    r"claude-(?P<family>opus|sonnet|haiku|fable|mythos)"
    r"-(?:(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?|preview)(?:-\d{8})?"
)
# All of Claude 3 (also the documented workflow's `claude-3-sonnet-20240229`), and Claude 4.0.
RETIRED = re.compile(r"claude-(?:[123]|instant)[.-].*|claude-(?:opus|sonnet)-4(?:-0|-20250514)?")
NEW_FAMILIES = ("fable", "mythos")
FIRST_WITHOUT_SAMPLING = {"opus": (4, 7), "sonnet": (5, 0), "haiku": (5, 5)}


@dataclass(frozen=True)
class Model:
    name: str
    family: str
    version: tuple[int, int]

    def _since(self, *version: int) -> bool:
        return self.family in NEW_FAMILIES or self.version >= version

    @property
    def samples(self) -> bool:
        """Takes temperature, top_p, top_k that are not the default."""
        first = FIRST_WITHOUT_SAMPLING.get(self.family, (0, 0))
        return self.version < first

    @property
    def prefills(self) -> bool:
        """Continues a final assistant turn."""
        return not self._since(4, 6)

    @property
    def thinking(self) -> frozenset[str]:
        """The types of `thinking` that it takes."""
        disabled = set() if self._is_one_of_5_5 or self.family in NEW_FAMILIES else {"disabled"}
        adaptive = {"adaptive", "between_tools"} if self._since(4, 6) else set()
        enabled = set() if self._since(4, 7) else {"enabled"}
        return frozenset(disabled | adaptive | enabled)

    @property
    def can_be_forced(self) -> bool:
        """Takes a tool_choice that forces a tool."""
        return not self._is_one_of_5_5 and not (self.family == "fable" and self.version >= (5, 1))

    @property
    def _is_one_of_5_5(self) -> bool:
        return self.family in ("opus", "sonnet") and self.version >= (5, 5)

    @property
    def takes_effort(self) -> bool:
        return self._since(4, 6) or (self.family, self.version) == ("opus", (4, 5))


def find_model(name: str) -> Model:
    """Raises Refusal (404, not_found_error) for an unknown or retired name."""
    found = NAME.fullmatch(name)
    if found is None or RETIRED.fullmatch(name):
        raise _unknown(name)
    return Model(name, found["family"], (int(found["major"] or 0), int(found["minor"] or 0)))


def _unknown(name: str) -> Refusal:
    return refuse(404, f"model: {name}")
