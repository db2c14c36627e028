"""Why a batch at OpenAI failed, and the error of each request without an answer.

A failed batch lists errors `{code, message, line, param}`. An error with a `line` is about the
request on that line of the input file, counted from 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.batches.batch_results import CANCELLED, EXPIRED
from providers.openai_content.error_codes import rpc_status_of_code
from providers.resources import Failure
from providers.status import Status

# OpenAI fails a batch with invalid input: invalid_json_line, duplicate_custom_id, ...
_STATUS_OF_OTHER_CODES: Final = Status.INVALID_ARGUMENT

_NEVER_ANSWERED: Final = Failure(
    Status.INTERNAL, "OpenAI ended the batch without an answer to this request that could be read."
)
# For a request whose answer was in a result file that is gone.
LOST: Final = Failure(
    Status.NOT_FOUND, "OpenAI no longer has the file with the result of this request."
)
_FAILED_WITHOUT_REASON: Final = Failure(Status.INTERNAL, "OpenAI gives no reason")
_REQUEST_FAILURES: Final = {
    "cancelled": CANCELLED,
    "cancelling": CANCELLED,
    "expired": EXPIRED,
}

_REASONS_SHOWN: Final = 3
_REASON_CHARACTERS: Final = 500
# Further errors are not read, so that the work is bounded.
_ERRORS_READ: Final = 50_000


@dataclass(frozen=True, slots=True)
class _BatchError:
    """One of the errors that OpenAI lists; `line` is None if it is about the whole input."""

    line: int | None
    failure: Failure

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.failure.message}"


class RequestFailures:
    """Why each request of one ended batch has no answer."""

    def __init__(self, batch: Mapping[str, Any]) -> None:
        listed = _listed(batch)
        self._for_lines = {e.line: e.failure for e in reversed(listed) if e.line is not None}
        self._for_others = _for_others(batch, listed)

    def for_line(self, line: int) -> Failure:
        """The failure of the request on `line` of the input, counted from 1."""
        return self._for_lines.get(line, self._for_others)


def failure_of(batch: Mapping[str, Any]) -> Failure | None:
    """Why the batch did not complete; None if it did, or has not ended."""
    listed = _listed(batch)
    match batch.get("status"):
        case "failed":
            return _summary(listed) if listed else _FAILED_WITHOUT_REASON
        case "expired":
            return Failure(
                Status.DEADLINE_EXCEEDED, f"The batch expired{_unanswered(batch, listed)}"
            )
        case "cancelled":
            return Failure(Status.CANCELLED, f"The batch was cancelled{_unanswered(batch, listed)}")
        case _:
            return None


def _for_others(batch: Mapping[str, Any], listed: list[_BatchError]) -> Failure:
    """The failure of requests for which OpenAI lists no error."""
    status = str(batch.get("status"))
    if status == "failed":
        whole = [error for error in listed if error.line is None] or listed
        reason = _summary(whole) if whole else _FAILED_WITHOUT_REASON
        return Failure(reason.status, f"The batch failed: {reason.message}")
    failure = _REQUEST_FAILURES.get(status, _NEVER_ANSWERED)
    reasons = _joined(error for error in listed if error.line is None)
    return Failure(failure.status, f"{failure.message} {reasons}".rstrip())


def _unanswered(batch: Mapping[str, Any], listed: list[_BatchError]) -> str:
    """How many requests have no answer, if OpenAI counts them, and the listed reasons."""
    counts = batch.get("request_counts")
    counts = counts if isinstance(counts, dict) else {}
    total, completed = counts.get("total"), counts.get("completed")
    left = ""
    if isinstance(total, int) and isinstance(completed, int) and total > 0:
        # OpenAI may count requests that it did not process as failed.
        without = max(0, total - completed)
        left = f": {without} of its {total} requests have no successful answer"
    reasons = _joined(listed)
    return f"{left}; {reasons}" if reasons else f"{left}."


def _summary(listed: list[_BatchError]) -> Failure:
    return Failure(listed[0].failure.status, _joined(listed))


def _joined(listed: Iterable[_BatchError]) -> str:
    errors = list(listed)
    more = len(errors) - _REASONS_SHOWN
    shown = "; ".join(map(str, errors[:_REASONS_SHOWN]))
    return f"{shown}; and {more} more" if more > 0 else shown


def _listed(batch: Mapping[str, Any]) -> list[_BatchError]:
    errors = batch.get("errors")
    data = errors.get("data") if isinstance(errors, dict) else None
    return [_parse(error) for error in data[:_ERRORS_READ]] if isinstance(data, list) else []


def _parse(error: object) -> _BatchError:
    if not isinstance(error, dict):
        return _BatchError(None, Failure(_STATUS_OF_OTHER_CODES, str(error)[:_REASON_CHARACTERS]))
    code, line = error.get("code"), error.get("line")
    message = error.get("message") or code or _FAILED_WITHOUT_REASON.message
    status = rpc_status_of_code(code, _STATUS_OF_OTHER_CODES)
    numbered = isinstance(line, int) and not isinstance(line, bool) and line > 0
    return _BatchError(
        line if numbered else None, Failure(status, str(message)[:_REASON_CHARACTERS])
    )
