"""Translating a request as a batch does. Two judges: Mistral's own models, and the strict fake."""

import json
from typing import Any

import pytest
from mistralai.client import models

from providers.errors import FerryError
from providers.mistral.batch_lines import MistralTranslator
from providers.resource_names import native_file_id
from providers.resources import BatchKind, NewBatch
from providers.status import Status
from tests.fakes.mistral.chat_request import parse_chat

MODEL = "mistral-small-latest"
FILE = f"https://ferry/v1beta/files/{native_file_id('01234567-89ab-4cde-8f01-23456789abcd')}"


def chat(**request: Any) -> dict[str, Any]:
    """The chat completion for a request, of one user turn unless it has `contents`."""
    return translate(request)[0]


def dropped(**request: Any) -> str:
    """The warnings of the translation of a request."""
    return translate(request)[1]


def refusal(**request: Any) -> FerryError:
    with pytest.raises(FerryError) as refused:
        translate(request)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


def translate(request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The body, and the warnings."""
    contents = [{"role": "user", "parts": [{"text": "Hello"}]}]
    translator = MistralTranslator(NewBatch(MODEL, BatchKind.GENERATE, []))
    line = json.loads(translator.line(0, {"contents": contents} | request, "request"))
    assert line.keys() == {"custom_id", "body"}
    sent = {"model": MODEL, **line["body"]}
    parse_chat(sent)
    read = models.ChatCompletionRequest.model_validate(sent)
    assert read.model_dump(mode="json", by_alias=True).keys() >= sent.keys()
    return line["body"], translator.warnings.render()


def embedding(model: str = MODEL, **request: Any) -> dict[str, Any]:
    translator = MistralTranslator(NewBatch(model, BatchKind.EMBED, []))
    line = translator.line(0, {"content": {"parts": [{"text": "a"}]}} | request, "request")
    body: dict[str, Any] = json.loads(line)["body"]
    models.EmbeddingRequest.model_validate({"model": model, **body})
    return body
