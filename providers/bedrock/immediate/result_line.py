"""The line that answers one record, in the format of Bedrock's own output (bedrock.md section 3).

What tells success from failure comes first, so that a line need not be read whole for it.
"""

from typing import Final

import orjson

_ERROR_HEAD: Final = b'{"error":'
HEAD_BYTES: Final = len(_ERROR_HEAD)


def render_output(record_id: str, model_output: bytes) -> bytes:
    """A success. Raises ValueError where `model_output` is no JSON object."""
    # Parsed, since what is carried as it came might break the line.
    output = orjson.loads(model_output)
    if not isinstance(output, dict):
        raise ValueError("the model's output is no JSON object")  # noqa: TRY004 - of the text
    return _render({"modelOutput": output, "recordId": record_id})


def render_error(record_id: str, code: int, message: str) -> bytes:
    """`code` is an HTTP status."""
    error = {"errorCode": code, "errorMessage": message}
    return _render({"error": error, "recordId": record_id})


def is_error(head: bytes) -> bool:
    """`head` is the first HEAD_BYTES of a line, or more."""
    return head.startswith(_ERROR_HEAD)


def _render(document: dict[str, object]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
