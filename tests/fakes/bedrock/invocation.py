"""One request to a model: a record of a job or a call of the runtime."""

from dataclasses import dataclass
from typing import Any

from ..anthropic.request_rules import pieces as pieces_of_claude
from ..aws_keys import ACCOUNT
from ..prompt_cache import PromptCache
from ..shape import ShapeError
from .claude_body import answer_claude, parse_claude, text_of_claude
from .converse_answers import answer_converse, text_of_converse
from .converse_rules import ConverseCall, parse_converse, pieces
from .embeddings import TITAN_BODIES, embed_cohere, embed_titan
from .models import Model
from .sentences import ModelError


@dataclass(frozen=True)
class Answer:
    """`asked` is the text of the request; the tokens count both directions."""

    output: dict[str, Any]
    asked: str
    read: int
    written: int


def converse(
    body: dict[str, Any],
    model: Model,
    call: ConverseCall,
    answer_bytes: int,
    prompts: PromptCache,
) -> Answer:
    """Raises ModelError."""
    asked = parse_converse(body, model, call)
    cached = prompts.use(ACCOUNT, model.id, pieces(asked))
    output = answer_converse(asked, answer_bytes, cached)
    usage = output["usage"]
    return Answer(output, text_of_converse(asked), usage["inputTokens"], usage["outputTokens"])


def invoke(
    body: dict[str, Any], model: Model, seed: str, answer_bytes: int, prompts: PromptCache
) -> Answer:
    """With the model's native body; invented values depend on `seed`. Raises ModelError."""
    if model.claude:
        asked = parse_claude(body, model)
        cached = prompts.use(ACCOUNT, model.id, pieces_of_claude(asked))
        output = answer_claude(asked, model, seed, answer_bytes, cached)
        usage = output["usage"]
        return Answer(output, text_of_claude(asked), usage["input_tokens"], usage["output_tokens"])
    try:
        if model.family in TITAN_BODIES:
            output = embed_titan(body, model)
            return Answer(output, body["inputText"], output["inputTextTokenCount"], 0)
        if model.family == "cohere.embed":
            output = embed_cohere(body, model)
            words = " ".join(output["texts"])
            return Answer(output, words, len(words.split()), 0)
    except ShapeError as wrong:
        raise ModelError(f"Malformed input request: {wrong.message}") from None
    raise ModelError(f"This fake does not know the native body of {model.family}.")
