"""Bedrock's errors (bedrock.md section 2) and timestamps."""

from datetime import UTC, datetime

from ..refusal import Refusal
from ..shape import ShapeError

STATUS = {
    "ValidationException": 400,
    "ConflictException": 400,
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,  # Unverified: bedrock.md section 2
    "UnrecognizedClientException": 403,
    "ResourceNotFoundException": 404,
    "UnknownOperationException": 404,
}
# The type may have this suffix, so a client must be able to remove it.
TYPE_SUFFIX = ":http://internal.amazon.com/coral/com.amazon.bedrock/"


def refuse(kind: str, message: str) -> Refusal:
    return Refusal(STATUS[kind], {"message": message}, {"x-amzn-ErrorType": kind + TYPE_SUFFIX})


def refuse_shape(error: ShapeError) -> Refusal:
    where = f"Value at '{error.path}' failed to satisfy constraint: " if error.path else ""
    return refuse("ValidationException", where + error.message)


def now() -> datetime:
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
