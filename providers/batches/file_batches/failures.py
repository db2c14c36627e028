"""Why a batch failed or ended early, and the error of each request without an answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from providers.batches.batch_results import CANCELLED, EXPIRED
from providers.resources import BatchState, Failure
from providers.status import Status

_REQUEST_FAILURES: Final = {
    BatchState.CANCELLED: CANCELLED,
    BatchState.CANCELLING: CANCELLED,
    BatchState.EXPIRED: EXPIRED,
}
_REASONS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class ListedError:
    """One of the errors that a provider lists of a batch.

    `line` is that of the request in the input, counted from 1; None for an error of the whole.
    """

    line: int | None
    failure: Failure

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.failure.message}"


class BatchFailures:
    """Why one batch, and each request of it, has no answer.

    `whose` is the provider's name. `total` and `completed` count its requests, and those with a
    successful answer; None if the provider does not count them.
    """

    def __init__(
        self,
        whose: str,
        state: BatchState,
        listed: Sequence[ListedError],
        total: int | None,
        completed: int | None,
    ) -> None:
        self._whose = whose
        self._state = state
        self._listed = listed
        self._total = total
        self._completed = completed
        self._of_lines = {e.line: e.failure for e in reversed(listed) if e.line is not None}

    @property
    def of_batch(self) -> Failure | None:
        """Why the batch did not complete; None if it did, or has not ended."""
        match self._state:
            case BatchState.FAILED:
                return _summary(self._listed) if self._listed else self._no_reason
            case BatchState.EXPIRED:
                return Failure(
                    Status.DEADLINE_EXCEEDED, f"The batch expired{self._unanswered(self._listed)}"
                )
            case BatchState.CANCELLED:
                return Failure(
                    Status.CANCELLED, f"The batch was cancelled{self._unanswered(self._listed)}"
                )
            case _:
                return None

    def of_line(self, line: int) -> Failure:
        """The failure of the request on `line` of the input, counted from 1."""
        return self._of_lines.get(line) or self._of_others

    @property
    def lost(self) -> Failure:
        """For a request whose result was in a file that is gone."""
        return Failure(
            Status.NOT_FOUND,
            f"{self._whose} no longer has the file with the result of this request.",
        )

    @property
    def _of_others(self) -> Failure:
        """The failure of requests for which the provider lists no error."""
        whole = [error for error in self._listed if error.line is None]
        if self._state is BatchState.FAILED:
            listed = whole or self._listed
            reason = _summary(listed) if listed else self._no_reason
            return Failure(reason.status, f"The batch failed: {reason.message}")
        failure = _REQUEST_FAILURES.get(self._state, self._never_answered)
        return Failure(failure.status, f"{failure.message} {_joined(whole)}".rstrip())

    @property
    def _never_answered(self) -> Failure:
        return Failure(
            Status.INTERNAL,
            f"{self._whose} ended the batch without an answer to this request that could be read.",
        )

    @property
    def _no_reason(self) -> Failure:
        return Failure(Status.INTERNAL, f"{self._whose} gives no reason")

    def _unanswered(self, listed: Iterable[ListedError]) -> str:
        """How many requests have no answer, if the provider counts them, and the listed reasons."""
        left = ""
        if self._total and self._completed is not None:
            # A provider may count requests that it did not process as failed.
            without = max(0, self._total - self._completed)
            left = f": {without} of its {self._total} requests have no successful answer"
        reasons = _joined(listed)
        return f"{left}; {reasons}" if reasons else f"{left}."


def _summary(listed: Sequence[ListedError]) -> Failure:
    return Failure(listed[0].failure.status, _joined(listed))


def _joined(listed: Iterable[ListedError]) -> str:
    errors = list(listed)
    more = len(errors) - _REASONS_SHOWN
    shown = "; ".join(map(str, errors[:_REASONS_SHOWN]))
    return f"{shown}; and {more} more" if more > 0 else shown
