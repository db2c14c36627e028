"""One line of a batch's output or error file -> one result in Gemini's shape.

`from_openai_line` does not raise: a line that cannot be read is one failed item, not a failed file.
"""

from collections.abc import Callable
from typing import Any, Final

from providers.errors import FerryError
from providers.json_api.answer_shape import as_object, http_status, text_or_none, unreadable
from providers.json_api.json_text import parse_json
from providers.json_api.refusal_body import code_of, message_of, status_in
from providers.openai_content.body_to_openai import (
    CHAT,
    EMBEDDINGS,
    RESPONSES,
    known_endpoint,
)
from providers.openai_content.chat_from_openai import from_openai_chat, plain_chat
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.openai_content.error_codes import rpc_status_of_code
from providers.openai_content.responses_from_openai import from_openai_response
from providers.status import Status, item_error, rpc_status_of_http

_OK: Final = 200
# OpenAI's own servers write it where a request got no answer at all.
_NO_STATUS: Final = 0
_NO_REASON: Final = "the provider wrote neither an answer nor a reason"

_TRANSLATORS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    CHAT: from_openai_chat,
    RESPONSES: from_openai_response,
    EMBEDDINGS: from_openai_embedding,
}
# What an answer says of itself. Some servers name another endpoint, or none (openai.md section 10).
_ENDPOINT_OF_OBJECT: Final = {
    "chat.completion": CHAT,
    "response": RESPONSES,
    "list": EMBEDDINGS,
}


def from_openai_line(
    line: object, endpoint: str, unanswered: Status = Status.UNKNOWN
) -> dict[str, Any]:
    """`{"response": {...}}` or `{"error": {"code": <rpc number>, "message": "..."}}`.

    `endpoint` is the batch's: /v1/chat/completions, /v1/responses or /v1/embeddings. A malformed
    line or body becomes an error INTERNAL (13). `unanswered` is the status of an error in place of
    an answer whose code is unknown.
    """
    try:
        return _result(as_object(line, "the line"), endpoint, unanswered)
    except FerryError as error:
        return {"error": item_error(error.status, error.message)}


def plain_openai_line(line: dict[str, Any], endpoint: str) -> dict[str, Any] | None:
    """What `from_openai_line` gives for a line whose answer is one text; None for any other."""
    response = line.get("response")
    if known_endpoint(endpoint) != CHAT or not isinstance(response, dict):
        return None
    body, status = response.get("body"), response.get("status_code")
    if not isinstance(body, dict) or type(status) is not int or status != _OK:
        return None
    answer = plain_chat(body)
    return None if answer is None else {"response": answer}


def _result(line: dict[str, Any], endpoint: str, unanswered: Status) -> dict[str, Any]:
    if line.get("response") is None:
        return {"error": _not_answered(line, unanswered)}
    response = as_object(line["response"], "response")
    body = _body(response.get("body"))
    status = http_status(response.get("status_code"))
    if not body and (line.get("error") or status == _NO_STATUS):
        refused = status is not None and status >= 300
        return {"error": _refused(status if refused else _NO_STATUS, body, line)}
    # Compatible servers may leave the status out. Then the body shows whether it is an answer.
    if not status and isinstance(body, dict) and body.get("error") is None:
        status = _OK
    if not status or not 200 <= status < 300:
        return {"error": _refused(status, body, line)}
    answer = as_object(body, "body")
    said = _ENDPOINT_OF_OBJECT.get(text_or_none(answer.get("object")) or "")
    said = said or known_endpoint(endpoint)
    if said not in _TRANSLATORS:
        raise unreadable("the proxy does not translate the answers of this endpoint")
    return {"response": _TRANSLATORS[said](answer)}


def _body(body: object) -> object:
    """Compatible servers may write an answer's JSON as text."""
    if not isinstance(body, str):
        return body
    try:
        return parse_json(body)
    except ValueError:
        return body


def _not_answered(line: dict[str, Any], otherwise: Status) -> dict[str, Any]:
    """The reason why the provider did not answer a request (openai.md section 5)."""
    if line.get("error") is None:
        raise unreadable("there is neither a response nor an error")
    message = message_of(line) or code_of(line) or "the provider gave no reason"
    return item_error(_status_of(line, otherwise), message)


def _status_of(error: object, otherwise: Status) -> Status:
    """By the code of an error, which other servers write as an HTTP status."""
    status = status_in(error)
    known = otherwise if status is None else rpc_status_of_http(status)
    return rpc_status_of_code(code_of(error), known)


def _refused(status: int | None, body: object, line: dict[str, Any]) -> dict[str, Any]:
    """The error of a request that was refused.

    vLLM writes the reason next to the response, which then has no body.
    """
    beside = {"error": line.get("error")}
    why = text_or_none(body) or message_of(body) or message_of(beside)
    if status:
        why = why or f"the provider answered with HTTP {status}"
        return item_error(rpc_status_of_http(status), why)
    code = code_of(body) or code_of(beside)
    if status is None and not (why or code):
        raise unreadable("status_code is not a number")
    known = _status_of(body, _status_of(beside, Status.UNKNOWN))
    return item_error(known, why or code or _NO_REASON)
