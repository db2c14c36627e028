"""OpenAI as a list of answers, written down by a test."""

from collections.abc import Mapping
from typing import Any

import orjson
from yarl import URL

from providers.credential import Caller, Credential
from providers.openai.client import OpenAIClient
from providers.upstream import Upstream
from tests.test_providers.test_gemini.scripted_upstream import Answer

BASE = URL("https://api.openai.test/v1")
CALLER = Caller(Credential("sk-secret"), "tenant", {"openai-project": "proj", "x-other": "no"})


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    data = document if isinstance(document, bytes) else orjson.dumps(document)
    return Answer(status, headers or {}, data)


def client(upstream: Upstream) -> OpenAIClient:
    return OpenAIClient("openai", BASE, upstream)
