"""The pieces of an OpenAI answer that both of its APIs share -> pieces of Gemini's candidates."""

from typing import Any

import orjson

from providers.answer_shape import (
    as_number,
    as_objects,
    as_text,
    count_or_none,
    objects_or_empty,
    present,
    text_or_none,
)
from providers.gemini_content.nesting import nested_too_deep


class Candidate:
    """One candidate of a GenerateContentResponse in the making."""

    def __init__(self, index: int, finish_reason: str, finish_message: str | None = None) -> None:
        self._index = index
        self._finish_reason = finish_reason
        self._finish_message = finish_message
        self._parts: list[dict[str, Any]] = []
        self._citations: list[dict[str, Any]] = []
        self._logprobs: list[dict[str, Any]] = []

    def say(self, text: str, annotations: object = None) -> None:
        self._parts.append({"text": text})
        self._citations += _citations(annotations)

    def think(self, text: str) -> None:
        self._parts.append({"text": text, "thought": True})

    def refuse(self, refusal: str) -> None:
        """The model's own refusal, which is its text too."""
        self._parts.append({"text": refusal})
        self._finish_reason, self._finish_message = "SAFETY", refusal

    def call(self, function: dict[str, Any], call_id: str | None) -> None:
        """A function call, or the end as MALFORMED_FUNCTION_CALL if its arguments are no object."""
        name = as_text(function.get("name"), "a function call's name")
        arguments = as_text(function.get("arguments"), "a function call's arguments")
        args = _parse_arguments(arguments)
        if args is None:
            self._finish_reason, self._finish_message = "MALFORMED_FUNCTION_CALL", arguments
        else:
            call = present({"id": call_id, "name": name, "args": args})
            self._parts.append({"functionCall": call})

    def weigh(self, logprobs: object) -> None:
        """Add the log probabilities of tokens, in their order."""
        self._logprobs += objects_or_empty(logprobs, "logprobs")

    def render(self) -> dict[str, Any]:
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": self._parts},
            "finishReason": self._finish_reason,
            "index": self._index,
        }
        if self._finish_message is not None:
            candidate["finishMessage"] = self._finish_message
        if self._citations:
            candidate["citationMetadata"] = {"citations": self._citations}
        return candidate | _logprobs_result(self._logprobs)


def _parse_arguments(arguments: str) -> dict[str, Any] | None:
    try:
        # A function without parameters is at times called with no text at all.
        args = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return None
    return args if isinstance(args, dict) and not nested_too_deep(args) else None


def _citations(annotations: object) -> list[dict[str, Any]]:
    return [
        _citation(annotation)
        for annotation in objects_or_empty(annotations, "annotations")
        if annotation.get("type") == "url_citation"
    ]


def _citation(annotation: dict[str, Any]) -> dict[str, Any]:
    # Chat completions nest what the Responses API writes flat.
    nested = annotation.get("url_citation")
    source = nested if isinstance(nested, dict) else annotation
    return present(
        {
            "startIndex": count_or_none(source.get("start_index")),
            "endIndex": count_or_none(source.get("end_index")),
            "uri": text_or_none(source.get("url")),
            "title": text_or_none(source.get("title")),
        }
    )


def _logprobs_result(tokens: list[dict[str, Any]]) -> dict[str, Any]:
    if not tokens:
        return {}
    chosen = [_weighed(token) for token in tokens]
    tops = [
        [_weighed(top) for top in as_objects(token.get("top_logprobs", []), "top_logprobs")]
        for token in tokens
    ]
    result: dict[str, Any] = {"chosenCandidates": chosen}
    if any(tops):
        result["topCandidates"] = [{"candidates": top} for top in tops]
    average = sum(token["logProbability"] for token in chosen) / len(chosen)
    return {"logprobsResult": result, "avgLogprobs": average}


def _weighed(token: dict[str, Any]) -> dict[str, Any]:
    return {
        "token": as_text(token.get("token"), "a token"),
        "logProbability": as_number(token.get("logprob"), "a log probability"),
    }
