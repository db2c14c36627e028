"""One line of a batch's output or error file -> one result in Gemini's shape.

`from_openai_line` does not raise: a line that cannot be read is one failed item, not a failed file.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from providers.errors import FerryError
from providers.json_api.answer_shape import as_object, text_or_none, unreadable
from providers.json_api.json_text import parse_json
from providers.json_api.refusal_body import code_of, message_of
from providers.openai_content.body_to_openai import CHAT, EMBEDDINGS, RESPONSES
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.openai_content.error_codes import rpc_status_of_code
from providers.openai_content.responses_from_openai import from_openai_response
from providers.status import Status, item_error, rpc_status_of_http

_HTTP_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_OK: Final = 200
_STATUS_UNKNOWN: Final = 0

_TRANSLATORS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    CHAT: from_openai_chat,
    RESPONSES: from_openai_response,
    EMBEDDINGS: from_openai_embedding,
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


def _result(line: dict[str, Any], endpoint: str, unanswered: Status) -> dict[str, Any]:
    if line.get("response") is None:
        return {"error": _not_answered(line, unanswered)}
    response = as_object(line["response"], "response")
    body = _body(response.get("body"))
    http_status = _http_status(response.get("status_code"), body)
    if not 200 <= http_status < 300:
        return {"error": _refused(http_status, body, line)}
    if endpoint not in _TRANSLATORS:
        raise unreadable("the proxy does not translate the answers of this endpoint")
    return {"response": _TRANSLATORS[endpoint](as_object(body, "body"))}


def _http_status(written: object, body: object) -> int:
    """Compatible servers may write it as text. If they leave it out, the body shows it."""
    if isinstance(written, int) and not isinstance(written, bool):
        return written
    if isinstance(written, str) and _HTTP_STATUS.fullmatch(written):
        return int(written)
    if isinstance(body, dict) and body.get("error") is None:
        return _OK
    return _STATUS_UNKNOWN


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
    code = code_of(line)
    message = message_of(line) or code or "the provider gave no reason"
    return item_error(rpc_status_of_code(code, otherwise), message)


def _refused(http_status: int, body: object, line: dict[str, Any]) -> dict[str, Any]:
    """The error of a request that was refused.

    vLLM writes the reason next to the response, which then has no body.
    """
    beside = {"error": line.get("error")}
    why = text_or_none(body) or message_of(body) or message_of(beside)
    if http_status != _STATUS_UNKNOWN:
        why = why or f"the provider answered with HTTP {http_status}"
        return item_error(rpc_status_of_http(http_status), why)
    if not why:
        raise unreadable("status_code is not a number")
    return item_error(rpc_status_of_code(code_of(body) or code_of(beside), Status.UNKNOWN), why)
