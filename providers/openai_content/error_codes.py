"""OpenAI's error codes: of a batch in `errors.data`, of a result line, and in a stream."""

from collections.abc import Mapping
from typing import Final

from providers.status import Status

NO_CREDIT: Final = frozenset(
    {"billing_hard_limit_reached", "billing_not_active", "insufficient_quota"}
)
"""Of an account that is empty or has reached its limit, some with the status 429."""

# Unverified: OpenAI documents no list of these codes; they are from public reports.
_STATUS_OF_CODE: Final[Mapping[str, Status]] = {
    "model_not_found": Status.NOT_FOUND,
    "token_limit_exceeded": Status.RESOURCE_EXHAUSTED,
    "rate_limit_exceeded": Status.RESOURCE_EXHAUSTED,
    "insufficient_quota": Status.RESOURCE_EXHAUSTED,
    "billing_hard_limit_reached": Status.RESOURCE_EXHAUSTED,
    "invalid_api_key": Status.UNAUTHENTICATED,
    "server_error": Status.INTERNAL,
    "internal_error": Status.INTERNAL,
    "batch_expired": Status.DEADLINE_EXCEEDED,
    "batch_cancelled": Status.CANCELLED,
}


def rpc_status_of_code(code: object, otherwise: Status) -> Status:
    """The RPC status for one of OpenAI's codes, or `otherwise` if the code is unknown."""
    return _STATUS_OF_CODE.get(code, otherwise) if isinstance(code, str) else otherwise
