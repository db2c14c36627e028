"""Every way in which a batch can fail at each provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, EXHAUSTED, INTERNAL = 1, 3, 4, 8, 13
COUNT = 4


@dataclass(frozen=True)
class End:
    """One failure: the provider, the fake's steps to it, and what a user must see.

    `errors` are the codes of the unanswered requests, the smallest first; `each` is the message of
    each of them, and `whole` the message of the operation.
    """

    provider: str
    steps: tuple[Mapping[str, Any], ...]
    state: str
    code: int
    whole: str
    errors: tuple[int, ...]
    each: str
    of_second: str | None = None


LIMIT = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
LINE = {"code": "invalid_json_line", "line": 2, "message": "This line is bad.", "param": "body"}
MODEL = {"code": "model_not_found", "message": "The model `gpt-0` does not exist."}

ENDS = {
    "openai-limit": End(
        "openai",
        ({"status": "failed", "errors": [LIMIT]},),
        "JOB_STATE_FAILED",
        EXHAUSTED,
        LIMIT["message"],
        (EXHAUSTED,) * COUNT,
        LIMIT["message"],
    ),
    "openai-model": End(
        "openai",
        ({"status": "failed", "errors": [MODEL]},),
        "JOB_STATE_FAILED",
        5,
        MODEL["message"],
        (5,) * COUNT,
        MODEL["message"],
    ),
    "openai-line": End(
        "openai",
        ({"status": "failed", "errors": [LINE]},),
        "JOB_STATE_FAILED",
        INVALID_ARGUMENT,
        "line 2: This line is bad.",
        (INVALID_ARGUMENT,) * COUNT,
        "This line is bad.",
        of_second="This line is bad.",
    ),
    "openai-expired": End(
        "openai",
        ({"status": "in_progress"}, {"status": "expired"}),
        "JOB_STATE_EXPIRED",
        DEADLINE_EXCEEDED,
        "2 of its 4 requests",
        (DEADLINE_EXCEEDED,) * 2,
        "expired",
    ),
    "openai-cancelled": End(
        "openai",
        ({"status": "in_progress"}, {"status": "cancelled"}),
        "JOB_STATE_CANCELLED",
        CANCELLED,
        "2 of its 4 requests",
        (CANCELLED,) * 2,
        "cancelled",
    ),
    "anthropic-expired": End(
        "anthropic",
        ({"reached": 0, "status": "ended"},),
        "JOB_STATE_EXPIRED",
        DEADLINE_EXCEEDED,
        "4 of its 4 requests were not answered (4 expired)",
        (DEADLINE_EXCEEDED,) * COUNT,
        "expired",
    ),
    "anthropic-partly": End(
        "anthropic",
        ({"reached": 3, "status": "ended"},),
        "JOB_STATE_SUCCEEDED",
        DEADLINE_EXCEEDED,
        "1 of its 4 requests were not answered (1 expired)",
        (DEADLINE_EXCEEDED,),
        "expired",
    ),
    "anthropic-cancelled": End(
        "anthropic",
        ({"reached": 1, "status": "canceling"}, {"status": "ended"}),
        "JOB_STATE_CANCELLED",
        CANCELLED,
        "3 of its 4 requests were not answered (3 cancelled)",
        (CANCELLED,) * 3,
        "cancelled",
    ),
    "mistral-failed": End(
        "mistral",
        ({"status": "FAILED", "errors": [{"message": "This line is bad.", "count": 3}]},),
        "JOB_STATE_FAILED",
        INVALID_ARGUMENT,
        "This line is bad. (3 times)",
        (INVALID_ARGUMENT,) * COUNT,
        "The batch failed: This line is bad. (3 times)",
    ),
    "mistral-expired": End(
        "mistral",
        ({"status": "RUNNING"}, {"status": "TIMEOUT_EXCEEDED"}),
        "JOB_STATE_EXPIRED",
        DEADLINE_EXCEEDED,
        "2 of its 4 requests",
        (DEADLINE_EXCEEDED,) * 2,
        "before this request was answered",
    ),
    "mistral-cancelled": End(
        "mistral",
        ({"status": "RUNNING"}, {"status": "CANCELLED"}),
        "JOB_STATE_CANCELLED",
        CANCELLED,
        "2 of its 4 requests",
        (CANCELLED,) * 2,
        "cancelled before this request was answered",
    ),
    "bedrock-failed": End(
        "bedrock",
        ({"status": "Failed", "message": "The role cannot read the input."},),
        "JOB_STATE_FAILED",
        INTERNAL,
        "The role cannot read the input.",
        (INTERNAL,) * COUNT,
        "The batch failed: The role cannot read the input.",
    ),
    "bedrock-expired": End(
        "bedrock",
        ({"status": "Expired", "message": "The queue is full."},),
        "JOB_STATE_EXPIRED",
        DEADLINE_EXCEEDED,
        "The queue is full.",
        (DEADLINE_EXCEEDED,) * COUNT,
        "The queue is full.",
    ),
    "bedrock-stopped": End(
        "bedrock",
        ({"reached": 1, "status": "Stopped"},),
        "JOB_STATE_CANCELLED",
        CANCELLED,
        "3 of its 4 requests were not answered",
        (CANCELLED,) * 3,
        "cancelled",
    ),
    "bedrock-partly": End(
        "bedrock",
        ({"reached": 3, "status": "PartiallyCompleted", "message": "Time is up."},),
        "JOB_STATE_SUCCEEDED",
        DEADLINE_EXCEEDED,
        "1 of its 4 requests were not answered: Time is up.",
        (DEADLINE_EXCEEDED,),
        "Time is up.",
    ),
}
