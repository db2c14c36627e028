"""One line of a job's output -> one result in Gemini's shape.

Nothing here raises: a line that cannot be read is one failed item, never a failed file.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.bedrock.content.answer_from_converse import from_converse_answer, plain_converse
from providers.bedrock.content.bedrock_models import InvocationType
from providers.claude_content.message_from_anthropic import from_anthropic_message, plain_message
from providers.errors import FerryError, unimplemented
from providers.gemini_content.embeddings import embedding_answer, embedding_values
from providers.json_api.answer_shape import (
    as_list,
    as_object,
    count_or_none,
    http_status,
    object_or_nothing,
    text_or_none,
    unreadable,
)
from providers.status import item_error, rpc_status_of_http

_NO_CODE: Final = 0


def result_from_bedrock(line: Mapping[str, Any], invocation: InvocationType) -> dict[str, Any]:
    """`{"response": {...}}` or `{"error": {"code": <rpc number>, "message": "..."}}`.

    `invocation` is the job's. The echo of the request says whether Claude's thoughts were
    requested. A malformed line or answer is an error INTERNAL (13); an answer in an unknown schema
    is an error UNIMPLEMENTED (12).
    """
    try:
        if line.get("error") is not None:
            return {"error": _refusal(as_object(line["error"], "error"))}
        answer = as_object(line.get("modelOutput"), "modelOutput")
        return {"response": from_model(answer, line.get("modelInput"), invocation)}
    except FerryError as error:
        return {"error": item_error(error.status, error.message)}


def plain_bedrock_line(
    line: Mapping[str, Any], invocation: InvocationType
) -> dict[str, Any] | None:
    """What `result_from_bedrock` gives for a line whose answer is one text; None for any other."""
    answer = line.get("modelOutput")
    if not isinstance(answer, dict) or line.get("error") is not None:
        return None
    if _is_converse(answer, invocation):
        found = plain_converse(answer)
    else:
        found = plain_message(answer) if answer.get("type") == "message" else None
    return None if found is None else {"response": found}


def echoed(model_input: object) -> dict[str, Any]:
    """Only those members of the request that `result_from_bedrock` reads."""
    thinking = _thinking(model_input)
    if not thinking:
        return {}
    read = {name: thinking[name] for name in ("type", "display") if name in thinking}
    return {"modelInput": {"additionalModelRequestFields": {"thinking": read}}}


def from_model(
    answer: dict[str, Any], model_input: object, invocation: InvocationType
) -> dict[str, Any]:
    """The Gemini response for a model's `answer`. Raises UnreadableAnswer, UNIMPLEMENTED."""
    if _is_converse(answer, invocation):
        return from_converse_answer(answer, thoughts=asked_for_thoughts(model_input))
    if answer.get("type") == "message":
        return from_anthropic_message(answer)
    if "embedding" in answer:
        return from_titan_embedding(answer)
    if "embeddings" in answer:
        return from_cohere_embeddings(answer)
    raise unimplemented("an answer in this model's own schema is not translated")


def _is_converse(answer: dict[str, Any], invocation: InvocationType) -> bool:
    """Unverified: Nova's own answer is like Converse's (bedrock.md section 4)."""
    return invocation is InvocationType.CONVERSE or "output" in answer


def asked_for_thoughts(model_input: object) -> bool:
    """Whether the request asked Claude to think and to show its thoughts.

    Converse cannot ask other models for thoughts.
    """
    asked = _thinking(model_input)
    hidden = asked.get("type") == "disabled" or asked.get("display") == "omitted"
    return bool(asked) and not hidden


def _thinking(model_input: object) -> dict[str, Any]:
    own_fields = object_or_nothing(model_input).get("additionalModelRequestFields")
    return object_or_nothing(object_or_nothing(own_fields).get("thinking"))


def _refusal(error: dict[str, Any]) -> dict[str, Any]:
    """errorCode is like an HTTP status (bedrock.md section 3)."""
    status = http_status(error.get("errorCode")) or _NO_CODE
    message = text_or_none(error.get("errorMessage"))
    return item_error(
        rpc_status_of_http(status),
        message or (f"Bedrock answered with {status}" if status else "Bedrock gave no reason"),
    )


def from_titan_embedding(body: dict[str, Any]) -> dict[str, Any]:
    """Raises INTERNAL for a body without an embedding."""
    tokens = count_or_none(body.get("inputTextTokenCount"))
    return embedding_answer([embedding_values(body.get("embedding"))], tokens)


def from_cohere_embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """Cohere counts no tokens here. If several number types were requested, the floats are read.

    Raises INTERNAL for a body without them.
    """
    found = body.get("embeddings")
    vectors = as_list(found.get("float") if isinstance(found, dict) else found, "embeddings")
    if not vectors:
        raise unreadable("embeddings is empty")
    return embedding_answer([embedding_values(vector) for vector in vectors])
