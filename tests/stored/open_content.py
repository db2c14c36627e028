"""The content of an upload that is open when recorded: two lines, the first a long one."""

import json
from typing import Final

from tests.end_to_end.batch_client import gemini_line

FIRST_CHUNK: Final = 8 << 20


def content() -> bytes:
    """A little more than a chunk; the same in every version."""
    lines = (gemini_line("long", "a" * FIRST_CHUNK), gemini_line("short", "the last question"))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
