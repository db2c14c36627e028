"""OpenAI's error codes, as in `errors.data` of a batch and in the error of a result line."""

from collections.abc import Mapping
from typing import Final

# OpenAI documents no list of these codes: they are from public reports, and unverified.
_STATUS_OF_CODE: Final[Mapping[str, str]] = {
    "model_not_found": "NOT_FOUND",
    "token_limit_exceeded": "RESOURCE_EXHAUSTED",
    "rate_limit_exceeded": "RESOURCE_EXHAUSTED",
    "insufficient_quota": "RESOURCE_EXHAUSTED",
    "billing_hard_limit_reached": "RESOURCE_EXHAUSTED",
    "invalid_api_key": "UNAUTHENTICATED",
    "server_error": "INTERNAL",
    "internal_error": "INTERNAL",
    "batch_expired": "DEADLINE_EXCEEDED",
    "batch_cancelled": "CANCELLED",
}


def rpc_status_of_code(code: object, otherwise: str) -> str:
    """The RPC status that one of OpenAI's codes means for a batch, or a line of one."""
    return _STATUS_OF_CODE.get(code, otherwise) if isinstance(code, str) else otherwise
