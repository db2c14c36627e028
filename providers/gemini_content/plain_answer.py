"""The answer that most requests get: one candidate with one text.

A `Candidate` builds every answer. A translator that sees at once that an answer is plain builds it
here, in a sixth of the time; a test compares both on random answers.
"""

from typing import Any, Final

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
