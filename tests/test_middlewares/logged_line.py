"""The line of the access log that a request left."""

from typing import Any

import orjson
import pytest

from proxy.log_lines import json_lines


def logged(caplog: pytest.LogCaptureFixture, secret: str) -> dict[str, Any]:
    """The only one, as JSON. `secret` is in no line."""
    (line,) = [json_lines().format(r) for r in caplog.records if r.name == "genai_ferry.access"]
    assert secret not in caplog.text
    assert secret not in line
    document: dict[str, Any] = orjson.loads(line)
    return document
