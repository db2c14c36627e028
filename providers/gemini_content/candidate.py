"""A GenerateContentResponse, whose candidates are built part by part from a provider's answer.

The client has paid for the answer, so one unreadable member must not lose the rest. A translator
reads each member inside `reading()`, and a fault becomes a note at the end of the candidate's text.
The note is a text part because no SDK shows `finishMessage` to a program.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from providers.gemini_content.citations import Segment, utf8_length
from providers.json_api.answer_shape import (
    INT64_END,
    UnreadableAnswer,
    as_object,
    as_text,
    present,
    text_or_none,
    unreadable,
)
from providers.json_api.json_text import parse_json, render_json

T = TypeVar("T")
Part = dict[str, Any]
TokenLogprob = dict[str, Any]

# In characters, for a text that is quoted in a note.
_QUOTED: Final = 8000
_NORMAL_ENDS: Final = frozenset({"STOP", "MAX_TOKENS"})


class Candidate:
    """`finish_reason` is Gemini's; `native_reason` is the provider's own, if it gave one."""

    def __init__(self, index: int, finish_reason: str, native_reason: str | None) -> None:
        self._index = index
        self._finish_reason = finish_reason
        self._native_reason = native_reason
        self._finish_message: str | None = None
        self._parts: list[Part] = []
        self._signature: str | None = None
        self._shows_thoughts = True
        self._text_bytes = 0
        self._sources: list[dict[str, Any]] = []
        self._chosen: list[TokenLogprob] = []
        self._top: list[list[TokenLogprob]] = []
        self._notes: list[str] = []
        self._faults: list[UnreadableAnswer] = []

    def add_text(self, text: str) -> Segment:
        """Add the model's text, and return its position in the candidate."""
        self._add({"text": text})
        start = self._text_bytes
        self._text_bytes += utf8_length(text)
        return Segment(text, start, self._text_bytes)

    def add_citations(self, sources: Iterable[Mapping[str, Any]]) -> None:
        """Add CitationSources. Empty ones are left out."""
        self._sources += [dict(source) for source in sources if source]

    def cite(
        self,
        segment: Segment,
        citations: list[Any],
        where: str,
        uri_of: Callable[[dict[str, Any]], str | None],
    ) -> None:
        """Add `citations` that cover all of `segment`. One of a document sent has no URI."""
        uris = self.read_each(citations, where, lambda citation, _: uri_of(citation))
        self.add_citations(segment.source(uri) for uri in dict.fromkeys(uris))

    def leave_out_thoughts(self) -> None:
        """For a request that does not ask for them: those added from here on are not shown."""
        self._shows_thoughts = False

    def add_thought(self, text: str, signature: str | None = None) -> None:
        """Add a thought: its text, the signature for the next request, or both.

        A signature without a text goes on the next part: the chats of the Go SDK forget an answer
        that has a part with nothing else.
        """
        if not self._shows_thoughts:
            return
        if text:
            self._add({"text": text, "thought": True})
            if signature is not None:
                self._parts[-1]["thoughtSignature"] = signature
        elif signature is not None:
            self.sign(signature)

    def sign(self, signature: str) -> None:
        """Add a signature to the part that follows, also if thoughts are left out."""
        self._release_signature()
        self._signature = signature

    def _add(self, part: Part) -> None:
        if part.get("thought"):  # a signature of its own follows
            self._release_signature()
        elif self._signature is not None and part.get("text") != "":
            part["thoughtSignature"], self._signature = self._signature, None
        self._parts.append(part)

    def _release_signature(self) -> None:
        """Make the signature a part, because no part follows that can have it."""
        if self._signature is not None:
            self._parts.append({"thoughtSignature": self._signature})
            self._signature = None

    def add_call(self, name: object, arguments: object, call_id: object, where: str) -> None:
        """Add a function call; `where` is its path in the answer.

        `arguments` is a JSON object, parsed or as text. With anything else the candidate finishes
        as MALFORMED_FUNCTION_CALL. Raises UnreadableAnswer for a call without a name.
        """
        function = as_text(name, f"{where}.name")
        if not function:  # no program can answer it, and no provider takes it back
            raise unreadable(f"{where}.name is empty")
        args = _read_arguments(arguments)
        if args is not None:
            call = present({"id": text_or_none(call_id) or None, "name": function, "args": args})
            self._add({"functionCall": call})
            return
        written = _shorten(
            arguments if isinstance(arguments, str) else render_json(arguments).decode()
        )
        self._finish_reason, self._finish_message = "MALFORMED_FUNCTION_CALL", written
        self._notes.append(
            f"The model called the function {function[:80]!r} with arguments that cannot be read "
            f"as a JSON object: {written}"
        )

    def add_refusal(self, refusal: str) -> None:
        """Add the model's refusal as its text."""
        self.add_text(refusal)
        self._finish_reason, self._finish_message = "SAFETY", refusal

    def explain_end(self, reason: str, sentence: str) -> None:
        """Say why the answer ended: `sentence` quotes `reason` and says who gave it."""
        self._finish_message = reason
        self._notes.append(_shorten(sentence))

    def add_logprobs(
        self, chosen: Sequence[TokenLogprob], top: Sequence[list[TokenLogprob]]
    ) -> None:
        """Add the LogprobsResultCandidates of tokens, and the most likely ones per position."""
        self._chosen += chosen
        self._top += top

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one member of the answer; if it cannot be read, note that and continue."""
        try:
            yield
        except UnreadableAnswer as fault:
            self._faults.append(fault)
            self._notes.append(f"This part of the answer could not be read: {fault.what}")

    def read_each(
        self, entries: list[Any], where: str, read: Callable[[dict[str, Any], str], T]
    ) -> list[T]:
        """`read` of each object in the list at `where`, with its path; see `reading`."""
        found: list[T] = []
        for index, entry in enumerate(entries):
            with self.reading():
                entry_path = f"{where}[{index}]"
                found.append(read(as_object(entry, entry_path), entry_path))
        return found

    @property
    def only_fault(self) -> UnreadableAnswer | None:
        """The first fault, if the candidate has no other content."""
        has_content = any(part.get("text") != "" for part in self._parts)
        if has_content or len(self._notes) > len(self._faults):
            return None
        return self._faults[0] if self._faults else None

    def render(self) -> dict[str, Any]:
        self._release_signature()
        self._explain_native_end()
        notes = [{"text": f"[genai-ferry] {sentence}"} for sentence in self._notes]
        parts = self._parts + notes
        # Chats forget an answer without any part; those of the Go SDK also forget one that has an
        # empty text beside other parts.
        filled = [part for part in parts if part != {"text": ""}]
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": filled or [{"text": ""}]},
            "finishReason": self._finish_reason,
            "index": self._index,
        }
        if self._finish_message is not None:
            candidate["finishMessage"] = self._finish_message
        if self._sources:
            candidate["citationMetadata"] = {"citationSources": self._sources}
        return candidate | self._logprobs()

    def _explain_native_end(self) -> None:
        """Add the provider's reason if Gemini has no equivalent, or if the answer is empty."""
        if self._native_reason is None or self._finish_message is not None:
            return
        unknown = self._finish_reason == "OTHER"
        empty = not self._parts and self._finish_reason not in _NORMAL_ENDS
        if unknown or empty:
            reason = self._native_reason[:200]
            self.explain_end(reason, f"The provider ended the answer with the reason {reason!r}.")

    def _logprobs(self) -> dict[str, Any]:
        if not self._chosen:
            return {}
        result: dict[str, Any] = {"chosenCandidates": self._chosen}
        if any(self._top):
            result["topCandidates"] = [{"candidates": top} for top in self._top]
        average = sum(token["logProbability"] for token in self._chosen) / len(self._chosen)
        return {"logprobsResult": result, "avgLogprobs": average}


def render_answer(
    candidates: Sequence[Candidate],
    usage: dict[str, Any],
    model: object = None,
    answer_id: object = None,
) -> dict[str, Any]:
    """The GenerateContentResponse. Raises UnreadableAnswer if no candidate can be read."""
    faults = [candidate.only_fault for candidate in candidates]
    if faults and faults[0] is not None and None not in faults:
        raise faults[0]
    named = {"modelVersion": text_or_none(model), "responseId": text_or_none(answer_id)}
    return {"candidates": [each.render() for each in candidates]} | usage | present(named)


def usage_metadata(
    *,
    sent: object,
    written: object,
    thoughts: object = None,
    cached: object,
    total: object,
    stored: object = None,
) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if no count is known; `written` includes the thoughts.

    `sent` includes `cached`, which was read from the provider's prompt cache, and `stored`, which
    was written to it; Gemini has no name for the second. A value that is not a count is left out.
    """
    values = {
        "promptTokenCount": sent,
        "candidatesTokenCount": written,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": cached,
        "totalTokenCount": total,
        "ferryCacheWriteTokenCount": stored or None,
    }
    # As `count_or_none`, without five calls for each answer.
    metadata = {
        name: value
        for name, value in values.items()
        if type(value) is int and 0 <= value <= INT64_END
    }
    if metadata.get("thoughtsTokenCount") and "candidatesTokenCount" in metadata:
        answered = metadata["candidatesTokenCount"] - metadata["thoughtsTokenCount"]
        metadata["candidatesTokenCount"] = max(answered, 0)
    return {"usageMetadata": metadata} if metadata else {}


def _read_arguments(arguments: object) -> dict[str, Any] | None:
    """None if it is not a JSON object. Some servers write the text of a text of one."""
    parsed = arguments
    for _ in range(2):
        if isinstance(parsed, str) and parsed:
            try:
                parsed = parse_json(parsed)
            except ValueError:
                return None
    # For a function without parameters, servers write no arguments, or one of these.
    return parsed if isinstance(parsed, dict) else ({} if parsed in (None, "") else None)


def _shorten(text: str) -> str:
    if len(text) <= _QUOTED:
        return text
    return f"{text[:_QUOTED]}… ({len(text) - _QUOTED} more characters)"
