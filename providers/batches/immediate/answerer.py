"""What a provider supplies so that the proxy can run batches on it: answers to single requests."""

from collections.abc import Mapping
from typing import Any, Protocol

from providers.credential import Caller
from providers.resources import BatchState


class Answerer(Protocol):
    """Answers one line of the provider's own batch input with one line of its batch results.

    `id_member` is the member of both lines that names the request. Lines of errors begin with
    `error_head`, and no others, so a reader need not parse the whole line. `status_words` are the
    provider's own words for the state of a batch. `not_begun` are the reasons of errors with which
    no model has begun the request. A provider may have several formats of lines; `form` is the name
    of one of them.
    """

    id_member: str
    error_head: bytes
    status_words: Mapping[BatchState, str]
    not_begun: frozenset[str]

    async def check(self, caller: Caller) -> None:
        """Raises the error of wrong headers or keys; sends nothing."""

    async def answer(self, caller: Caller, model: str, form: str, line: bytes, /) -> bytes:
        """The result line, from one attempt. Raises FerryError.

        An error without a provider that is not an UpstreamError was raised before sending.
        """

    def render_error(self, line_id: str, code: int, message: str, /) -> bytes:
        """A result line; `code` is an HTTP status."""

    def translate(self, line: dict[str, Any], form: str, /) -> dict[str, Any]:
        """One result line as `{"response"}` or `{"error"}`; never raises."""
