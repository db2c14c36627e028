"""Why a batch at OpenAI failed.

A failed batch lists errors `{code, message, line, param}`. An error with a `line` is about the
request on that line of the input file, counted from 1.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.file_batches.failures import BatchFailures, ListedError
from providers.json_api.answer_shape import count_or_none, object_or_nothing
from providers.openai_content.error_codes import rpc_status_of_code
from providers.resources import BatchState, Failure
from providers.status import Status

# OpenAI fails a batch with invalid input: invalid_json_line, duplicate_custom_id, ...
_STATUS_OF_OTHER_CODES: Final = Status.INVALID_ARGUMENT
_REASON_CHARACTERS: Final = 500
# Further errors are not read, so that the work is bounded.
_ERRORS_READ: Final = 50_000


def failures_of(batch: Mapping[str, Any], state: BatchState) -> BatchFailures:
    counts = object_or_nothing(batch.get("request_counts"))
    total, completed = counts.get("total"), counts.get("completed")
    return BatchFailures(
        "OpenAI", state, _listed(batch), count_or_none(total), count_or_none(completed)
    )


def _listed(batch: Mapping[str, Any]) -> list[ListedError]:
    data = object_or_nothing(batch.get("errors")).get("data")
    return [_parse(error) for error in data[:_ERRORS_READ]] if isinstance(data, list) else []


def _parse(error: object) -> ListedError:
    if not isinstance(error, dict):
        return ListedError(None, Failure(_STATUS_OF_OTHER_CODES, str(error)[:_REASON_CHARACTERS]))
    code, line = error.get("code"), error.get("line")
    message = error.get("message") or code or "OpenAI gives no reason"
    status = rpc_status_of_code(code, _STATUS_OF_OTHER_CODES)
    numbered = isinstance(line, int) and not isinstance(line, bool) and line > 0
    return ListedError(
        line if numbered else None, Failure(status, str(message)[:_REASON_CHARACTERS])
    )
