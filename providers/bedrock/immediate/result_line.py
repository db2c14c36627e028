"""The line that answers one record, in the format of Bedrock's own output (bedrock.md section 3).

The first member tells success from failure, so that a line need not be read whole for it.
"""

from typing import Final

from providers.batches.result_lines import parse_in_unicode
from providers.bedrock.content.result_from_bedrock import echoed
from providers.json_api.json_text import render_line

_ERROR_HEAD: Final = b'{"error":'
HEAD_BYTES: Final = len(_ERROR_HEAD)


def render_output(record_id: str, model_output: bytes, model_input: object) -> bytes:
    """A success, with what is read of the request. ValueError for an output that is no object."""
    # Parsed, since what is carried as it came might break the line.
    output = parse_in_unicode(model_output)
    if not isinstance(output, dict):
        raise ValueError("the model's output is no JSON object")  # noqa: TRY004 - of the text
    # The id first: it is then known of a line that is too long to be read, too.
    return _render({"recordId": record_id, "modelOutput": output} | echoed(model_input))


def render_error(record_id: str, code: int, message: str) -> bytes:
    """`code` is an HTTP status."""
    error = {"errorCode": code, "errorMessage": message}
    return _render({"error": error, "recordId": record_id})


def is_error(head: bytes) -> bool:
    """`head` is the first HEAD_BYTES of a line, or more."""
    return head.startswith(_ERROR_HEAD)


def _render(document: dict[str, object]) -> bytes:
    return render_line(document)
