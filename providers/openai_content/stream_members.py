"""What the events of streamed chat completions and of streamed responses have in common."""

from typing import Any

from providers.gemini_content.candidate import Candidate
from providers.openai_content.answer_members import add_token_logprobs


def logprobs_of(tokens: object, where: str) -> dict[str, Any]:
    """The members of a candidate for the tokens at `where`."""
    if not tokens:
        return {}
    candidate = Candidate(0, "", None)
    add_token_logprobs(candidate, tokens, where)
    rendered = candidate.render()
    return {name: rendered[name] for name in ("logprobsResult", "avgLogprobs") if name in rendered}
