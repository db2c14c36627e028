"""OpenAI's log probabilities of tokens -> Gemini's."""

from typing import Any

from providers.gemini_content.candidate import Candidate, TokenLogprob
from providers.json_api.answer_shape import as_number, as_objects, as_text, objects_or_empty


def add_token_logprobs(candidate: Candidate, tokens: object, where: str) -> None:
    """Add the tokens at `where`, in their order."""
    with candidate.reading():
        read = objects_or_empty(tokens, where)
        chosen = [_token_logprob(token, f"{where}[{i}]") for i, token in enumerate(read)]
        top = [_top(token, f"{where}[{i}].top_logprobs") for i, token in enumerate(read)]
        candidate.add_logprobs(chosen, top)


def _top(token: dict[str, Any], where: str) -> list[TokenLogprob]:
    likeliest = as_objects(token.get("top_logprobs", []), where)
    return [_token_logprob(top, f"{where}[{i}]") for i, top in enumerate(likeliest)]


def _token_logprob(token: dict[str, Any], where: str) -> TokenLogprob:
    return {
        "token": as_text(token.get("token"), f"{where}.token"),
        "logProbability": as_number(token.get("logprob"), f"{where}.logprob"),
    }
