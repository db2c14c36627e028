"""multipart/form-data with a streamed file, and its exact length in advance."""

import secrets
from collections.abc import Mapping

from providers.body import Body, in_memory, join


def form_with_file(
    fields: Mapping[str, str], file_field: str, file_name: str, mime_type: str, content: Body
) -> tuple[str, Body]:
    """The Content-Type and the body: plain `fields` first, then the file."""
    boundary = f"ferry-{secrets.token_hex(16)}"
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{file_field}"; filename="{_quoted(file_name)}"\r\n'
        f"Content-Type: {mime_type}\r\n\r\n"
    )
    body = join(in_memory(head.encode()), content, in_memory(f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body


def _quoted(name: str) -> str:
    """As in HTML's form encoding: UTF-8, with quotes and line ends percent-encoded."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
