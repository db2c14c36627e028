"""The result line of one record, in the format of Bedrock's own output (bedrock.md section 3).

The first member distinguishes success from failure, so a reader need not parse the whole line.
"""

from typing import Final

from providers.batches.result_lines import parse_in_unicode
from providers.bedrock.content.result_from_bedrock import echoed
from providers.json_api.json_text import render_line

_ERROR_HEAD: Final = b'{"error":'
HEAD_BYTES: Final = len(_ERROR_HEAD)


def render_output(record_id: str, model_output: bytes, model_input: object) -> bytes:
    """A success, with the parts of the request that are read.

    Raises ValueError for an output that is not an object.
    """
    # Parsed, since the unchanged bytes might contain a line break.
    output = parse_in_unicode(model_output)
    if not isinstance(output, dict):
        raise ValueError("the model's output is not a JSON object")  # noqa: TRY004 - of the text
    # The id comes first, so it is known even for a line that is too long to parse.
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
