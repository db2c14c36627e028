"""What is checked before a job runs: each line's members, but not its body's.

A mistake here fails the whole job; one in a body fails only its own line. Both are unverified.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..blob import Blob

MOST_LINES = 100_000
FRAME = ("custom_id", "body")


class BadLine(Exception):
    """A line makes the whole job fail."""


@dataclass
class CheckedInput:
    """`lines` says where each line begins: the number of its file, and the offset there."""

    lines: list[tuple[int, int]] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    custom_ids: set[str] = field(default_factory=set)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """As `BatchJob.errors` has them: one for each kind of problem."""
        return [{"message": text, "count": count} for text, count in self.problems.items()]


def check_input(sources: list[Blob]) -> CheckedInput:
    """Read every file once, line by line."""
    checked = CheckedInput()
    for number, blob in enumerate(sources):
        offset = 0
        with blob.path.open("rb") as lines:
            for text in lines:
                try:
                    _check_line(checked, text)
                except BadLine as bad:
                    checked.problems[str(bad)] += 1
                checked.lines.append((number, offset))
                offset += len(text)
    if not checked.lines:
        checked.problems["The input has no requests."] += 1
    if len(checked.lines) > MOST_LINES:
        checked.problems[f"A job has at most {MOST_LINES} requests."] += 1
    return checked


def _check_line(checked: CheckedInput, text: bytes) -> None:
    try:
        line = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadLine("Invalid JSON.") from None
    if not isinstance(line, dict):
        raise BadLine("A line is not a JSON object.")
    for name in FRAME:
        if name not in line:
            raise BadLine(f"{name}: Field required")
    for name in line:
        if name not in FRAME:
            raise BadLine(f"{name}: Extra inputs are not permitted")
    if not isinstance(line["body"], dict):
        raise BadLine("body: Input should be a valid dictionary")
    custom_id = line["custom_id"]
    if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= 512:
        raise BadLine("custom_id: Input should be a string of 1 to 512 characters")
    if custom_id in checked.custom_ids:
        raise BadLine("custom_id: Two requests have the same")
    checked.custom_ids.add(custom_id)
