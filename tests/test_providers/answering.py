"""A JSON API as a list of answers, written down by a test."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.credential import Caller, Credential
from tests.test_providers.test_gemini.scripted_upstream import Answer

CALLER = Caller(Credential("sk-secret"), "tenant", {"x-other": "no"})


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    data = document if isinstance(document, bytes) else orjson.dumps(document)
    return Answer(status, headers or {}, data)
