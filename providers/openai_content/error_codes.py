"""OpenAI's error codes, as in `errors.data` of a batch and in the error of a result line."""

from collections.abc import Mapping
from typing import Final

from providers.status import Status

# OpenAI documents no list of these codes: they are from public reports, and unverified.
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
    """The RPC status that one of OpenAI's codes means for a batch, or a line of one."""
    return _STATUS_OF_CODE.get(code, otherwise) if isinstance(code, str) else otherwise
