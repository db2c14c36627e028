"""The files that a prompt names: missing ones, and servers and models that read none."""

from typing import Any

import orjson
import pytest

from providers.gemini_content.media import INLINE
from providers.provider import Prompts
from providers.resources import Prompt
from providers.status import Status
from proxy.settings import Settings
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, refused

MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-6",
    "bedrock": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
}
CALLS = {
    "openai": "chat/completions",
    "anthropic": "messages",
    "bedrock": "model/[^/]+/converse(-stream)?",
}
PATH = "contents[0].parts[1].fileData.fileUri"
PDF = b"%PDF-1.4 one page"


@pytest.fixture(params=list(MODELS))
def work(request: pytest.FixtureRequest) -> ProviderWithFake:
    found: ProviderWithFake = request.getfixturevalue(request.param)
    return found


def prompts(work: ProviderWithFake) -> Prompts:
    assert work.provider.prompts is not None
    return work.provider.prompts


def asking(work: ProviderWithFake, uri: str) -> Prompt:
    file = {"fileData": {"fileUri": uri, "mimeType": "application/pdf"}}
    request = {"contents": [{"role": "user", "parts": [{"text": "what is it?"}, file]}]}
    return Prompt(MODELS[work.provider.kind], orjson.dumps(request))


async def unanswered(work: ProviderWithFake, prompt: Prompt, call: str) -> Any:
    return await refused(getattr(prompts(work), call)(work.caller, prompt))


CALL = pytest.mark.parametrize("call", ["generate", "stream"])


async def test_a_file_that_is_there(work: ProviderWithFake) -> None:
    prompt = asking(work, f"files/{await work.upload(PDF, 'a.pdf', mime_type='application/pdf')}")
    generated = await prompts(work).generate(work.caller, prompt)
    assert b"echo: what is it?" in generated.document


@CALL
async def test_a_missing_file_is_named_by_its_path(work: ProviderWithFake, call: str) -> None:
    missing = {"openai": "file-none", "anthropic": "file_none", "bedrock": "none.pdf"}
    prompt = asking(work, f"files/{missing[work.provider.kind]}")
    error = await unanswered(work, prompt, call)
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, PATH)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_missing_file_in_a_prompt_that_is_counted(
    openai: OpenAIWithFake, anthropic: AnthropicWithFake, status: int
) -> None:
    for work, name in ((openai, "file-none"), (anthropic, "file_none")):
        await work.strike("POST", ".*(input|count)_tokens", "status", status=status)
        tokens = work.provider.tokens
        assert tokens is not None
        error = await refused(tokens.count(work.caller, asking(work, f"files/{name}")))
        assert (error.status, error.path) == (Status.INVALID_ARGUMENT, PATH)


@CALL
async def test_what_else_to_do_if_a_server_reads_no_files(
    work: ProviderWithFake, call: str
) -> None:
    """A compatible server, or a model of Bedrock that reads nothing from S3."""
    prompt = asking(work, f"files/{await work.upload(PDF, 'a.pdf', mime_type='application/pdf')}")
    said: dict[str, Any] = {"headers": {"x-amzn-ErrorType": "ValidationException"}}
    message = {"message": "unknown part"}
    body = message if isinstance(work, BedrockWithFake) else {"error": message}
    await work.strike("POST", CALLS[work.provider.kind], "status", status=400, body=body, **said)
    error = await unanswered(work, prompt, call)
    assert error.status == Status.INVALID_ARGUMENT
    assert "unknown part" in error.message
    assert error.message.endswith(INLINE)


@CALL
async def test_another_failure_stays_what_it_is(work: ProviderWithFake, call: str) -> None:
    prompt = asking(work, f"files/{await work.upload(PDF, 'a.pdf', mime_type='application/pdf')}")
    await work.strike("POST", CALLS[work.provider.kind], "status", status=403)
    error = await unanswered(work, prompt, call)
    assert error.status == Status.PERMISSION_DENIED
    assert INLINE not in error.message


def test_the_limits_that_are_named() -> None:
    inline, line = (Settings.model_fields[f"{name}_bytes"] for name in ("inline_max", "max_line"))
    named = [f"{found.default >> 20} MiB" for found in (inline, line)]
    assert [name in INLINE for name in named] == [True, True]
