"""What providers tell an observer about batches and calls, for the operator's figures.

The edge implements `Observer`. Providers do not know what it does with what it is told.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from providers.resources import Batch, BatchKind


class InputOutcome(StrEnum):
    """What a line of a batch's input was; NATIVE is the provider's own format."""

    TRANSLATED = "translated"
    NATIVE = "native"
    REFUSED = "refused"


class LineOutcome(StrEnum):
    """What a line of a batch's results was: one that the provider failed has an error."""

    ANSWER = "answer"
    ERROR = "error"
    UNREADABLE = "unreadable"
    MISSING = "missing"


class TokenKind(StrEnum):
    """CACHED tokens are among those of INPUT; REASONING tokens are not among those of OUTPUT."""

    INPUT = "input"
    OUTPUT = "output"
    CACHED = "cached"
    REASONING = "reasoning"


@dataclass(slots=True)
class ResultCounts:
    """The lines of a batch's results, and the tokens by the model that an answer names.

    The model is empty in answers that name none.
    """

    lines: Counter[LineOutcome] = field(default_factory=Counter)
    tokens: Counter[tuple[str, TokenKind]] = field(default_factory=Counter)


class Observer(Protocol):
    """Observes one provider. No method raises or waits."""

    def input_checked(self, outcome: InputOutcome, lines: int) -> None:
        """Once in each creation: all lines of its input, or the one for which it is refused."""

    def batch_created(self, kind: BatchKind) -> None:
        """Not for a repeated creation with the same idempotency key."""

    def batch_ended(self, batch: Batch) -> None:
        """Each time that a client sees the end."""

    def results_translated(self, batch: Batch, counts: ResultCounts) -> None:
        """Each time that all results of a batch were read."""

    def call_retried(self) -> None:
        """A call to the provider failed and is sent again."""


class Unobserved:
    """Implements `Observer` where nothing is observed."""

    def input_checked(self, outcome: InputOutcome, lines: int) -> None:
        pass

    def batch_created(self, kind: BatchKind) -> None:
        pass

    def batch_ended(self, batch: Batch) -> None:
        pass

    def results_translated(self, batch: Batch, counts: ResultCounts) -> None:
        pass

    def call_retried(self) -> None:
        pass


UNOBSERVED: Final[Observer] = Unobserved()
