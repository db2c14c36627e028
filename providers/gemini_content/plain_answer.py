"""The answer that most requests get: one candidate with one text.

A `Candidate` builds every answer. A translator that sees at once that an answer is plain builds it
here, in a sixth of the time; a test compares both on random answers.
"""

from collections.abc import Mapping
from typing import Any, Final

# "content", "finishReason" and "index".
_MEMBERS: Final = 3


NOTHING: Final[tuple[object, ...]] = (None, [])
"""The values of a member that adds nothing to an answer."""


def only_object(items: object) -> dict[str, Any]:
    """The object that is alone in a list; {} for any other value."""
    if isinstance(items, list) and len(items) == 1 and isinstance(items[0], dict):
        only: dict[str, Any] = items[0]
        return only
    return {}


def plain_answer(
    text: str,
    finish_reason: str,
    index: int,
    usage: dict[str, Any],
    model: object,
    answer_id: object,
) -> dict[str, Any]:
    """What `render_answer` gives for one Candidate with `text` that ended without a note."""
    answer: dict[str, Any] = {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": finish_reason,
                "index": index,
            }
        ],
        **usage,
    }
    if isinstance(model, str):
        answer["modelVersion"] = model
    if isinstance(answer_id, str):
        answer["responseId"] = answer_id
    return answer


def is_one_text(result: Mapping[str, Any]) -> bool:
    """Whether a translated line has no content but one text."""
    response = result.get("response")
    candidates = response.get("candidates") if isinstance(response, dict) else None
    # Each candidate has three members; further ones are content too.
    if not candidates or len(candidates) != 1 or len(candidates[0]) != _MEMBERS:
        return False
    parts = candidates[0]["content"]["parts"]
    return len(parts) == 1 and len(parts[0]) == 1 and "text" in parts[0]
