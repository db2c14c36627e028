"""What is checked before a batch starts: each line's members, but not its body's parameters.

An error here fails the whole batch; a wrong parameter in a body fails only its own line.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..blob import Blob

MOST_LINES, MOST_ERRORS, MOST_EMBEDDINGS = 50_000, 20, 50_000
MODEL = re.compile(r"(?:gpt|chatgpt|codex|text-embedding|omni-moderation|sora|ft:|o\d)[\w.:-]*")
FRAME = ("custom_id", "method", "url", "body")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadLine(Exception):
    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


@dataclass
class CheckedInput:
    """`offsets` says where each line begins; `errors` are as `Batch.errors.data` has them."""

    offsets: list[int] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    model: str | None = None
    custom_ids: set[str] = field(default_factory=set)
    embeddings: int = 0

    def report(self, line: int | None, code: str, message: str, param: str | None = None) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"code": code, "line": line, "message": message, "param": param})


def check_input(blob: Blob, endpoint: str) -> CheckedInput:
    """Read the whole file once, line by line."""
    checked = CheckedInput()
    offset = 0
    with blob.path.open("rb") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                _check_line(checked, text, endpoint)
            except BadLine as bad:
                checked.report(number, bad.code, bad.message, bad.param)
            checked.offsets.append(offset)
            offset += len(text)
    if not checked.offsets:
        checked.report(None, "empty_file", "The input file is empty.")
    if len(checked.offsets) > MOST_LINES:
        checked.report(None, "too_many_requests", f"A batch has at most {MOST_LINES} requests.")
    if checked.embeddings > MOST_EMBEDDINGS:
        checked.report(None, "too_many_inputs", "A batch has at most 50000 embedding inputs.")
    return checked


def _check_line(checked: CheckedInput, text: bytes, endpoint: str) -> None:
    try:
        if text.startswith(BYTE_ORDER_MARK):
            raise ValueError
        line = orjson.loads(text)
    except ValueError:
        raise BadLine("invalid_json_line", "This line is not parseable as valid JSON.") from None
    if not isinstance(line, dict):
        raise BadLine("invalid_json_line", "This line is not a JSON object.")
    for name in FRAME:
        if line.get(name) is None:
            message = f"Missing required parameter: '{name}'."
            raise BadLine("missing_required_parameter", message, name)
    for name in line:
        if name not in FRAME:
            raise BadLine("unknown_parameter", f"Unknown parameter: '{name}'.", name)
    _check_custom_id(checked, line["custom_id"])
    if line["method"] != "POST":
        raise BadLine("invalid_method", "The method must be POST.", "method")
    if line["url"] != endpoint:
        message = f"The URL of this line does not match the batch's endpoint {endpoint}."
        raise BadLine("invalid_url", message, "url")
    _check_body(checked, line["body"])


def _check_custom_id(checked: CheckedInput, custom_id: Any) -> None:
    if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= 512:
        raise BadLine("invalid_custom_id", "custom_id must be a string of 1..512.", "custom_id")
    if custom_id in checked.custom_ids:
        message = f"The custom_id {custom_id!r} was used before in this file."
        raise BadLine("duplicate_custom_id", message, "custom_id")
    checked.custom_ids.add(custom_id)


def _check_body(checked: CheckedInput, body: Any) -> None:
    if not isinstance(body, dict):
        raise BadLine("invalid_type", "The body must be an object.", "body")
    model = body.get("model")
    if not isinstance(model, str):
        message = "Missing required parameter: 'body.model'."
        raise BadLine("missing_required_parameter", message, "body.model")
    if not MODEL.fullmatch(model):
        raise BadLine("model_not_found", f"The model {model!r} does not exist.", "body.model")
    checked.model = model if checked.model is None else checked.model
    if model != checked.model:
        message = f"The model {model!r} differs from {checked.model!r} of the first line."
        raise BadLine("mismatched_model", message, "body.model")
    if "stream" in body:
        raise BadLine("invalid_request", "Streaming is not allowed in a batch.", "body.stream")
    given = body.get("input")
    checked.embeddings += len(given) if isinstance(given, list) else 1 if given else 0
