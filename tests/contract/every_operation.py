"""Every operation of a client, as requests to the whole application."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import orjson
from aiohttp import MultipartWriter

from tests.contract.provider_with_fake import asking, gemini_lines
from tests.fakes.bedrock import LONG_TERM

# Method, path below /genai, headers, and body.
Operation: TypeAlias = tuple[str, str, dict[str, str], Any]

GOOD: Final = {
    "openai": "sk-key-of-somebody",
    "anthropic": "sk-ant-api03-key-of-somebody",
    "mistral": "0" * 32,
    "gemini": "AIza-key-of-somebody",
    "bedrock": LONG_TERM.api_key,
}
MODELS: Final = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "mistral": "mistral-small-latest",
    "gemini": "gemini-2.5-flash",
    "bedrock": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
}
PROMPTS: Final = ("generateContent", "streamGenerateContent", "countTokens")
EMBEDDERS: Final = {
    "openai": "text-embedding-3-small",
    "mistral": "mistral-embed",
    "gemini": "gemini-embedding-001",
    "bedrock": "amazon.titan-embed-text-v2:0",
}
INLINE: Final = {"requests": {"requests": [{"request": asking("hello")}]}}
FILES = {
    "openai": "file-abc123",
    "anthropic": "file_abc123",
    "mistral": "01234567-89ab-cdef-0123-456789abcdef",
    "gemini": "abc123",
    "bedrock": "oabcdefgh",
}
BATCHES = {
    "openai": "batch_abc123",
    "anthropic": "msgbatch_abc123",
    "mistral": "01234567-89ab-cdef-0123-456789abcdef",
    "gemini": "abc123",
    "bedrock": "abcdefghijkl",
}


def start(name: str, size: int | None = None) -> Operation:
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    if size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(size)
    document = orjson.dumps({"file": {"displayName": name, "mimeType": "text/plain"}})
    return "POST", "upload/v1beta/files", headers, document


def raw(name: str) -> Operation:
    headers = {
        "X-Goog-Upload-Protocol": "raw",
        "X-Goog-Upload-File-Name": name,
        "Content-Type": "text/plain",
    }
    return "POST", "upload/v1beta/files", headers, gemini_lines("hello")


def multipart() -> Operation:
    parts = MultipartWriter("related")
    parts.append_json({"file": {"displayName": "in.jsonl"}})
    parts.append(gemini_lines("hello"), {"Content-Type": "text/plain"})
    return "POST", "upload/v1beta/files", {"X-Goog-Upload-Protocol": "multipart"}, parts


def create(provider: str, inputs: Mapping[str, Any], **headers: str) -> Operation:
    path = f"v1beta/models/{MODELS[provider]}:batchGenerateContent"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = orjson.dumps({"batch": {"inputConfig": inputs}})
    return "POST", path, {"Content-Type": "application/json", **named}, body


def embed(provider: str) -> list[Operation]:
    """The calls for embeddings, if the provider has them."""
    if provider not in EMBEDDERS:
        return []
    model = f"models/{EMBEDDERS[provider]}"
    one = {"model": model, "content": {"parts": [{"text": "hello"}]}}
    json = {"Content-Type": "application/json"}
    return [
        ("POST", f"v1beta/{model}:embedContent", json, orjson.dumps(one)),
        ("POST", f"v1beta/{model}:batchEmbedContents", json, orjson.dumps({"requests": [one] * 9})),
    ]


def operations(provider: str) -> list[Operation]:
    """Every operation that needs nothing that was made before, with ids of the right form."""
    from_file = {"fileName": f"files/{FILES[provider]}"}
    model, asked = f"v1beta/models/{MODELS[provider]}", orjson.dumps(asking("hello"))
    file, batch = f"v1beta/files/{FILES[provider]}", f"v1beta/batches/{BATCHES[provider]}"
    return [
        start("in.jsonl"),
        start("in.jsonl", 100),
        start("a.pdf"),
        start("a.pdf", 100),
        start("a.png", 100 << 20),
        raw("in.jsonl"),
        raw("a.pdf"),
        multipart(),
        create(provider, INLINE),
        create(provider, INLINE, x_ferry_idempotency_key="once"),
        create(provider, from_file),
        create(provider, from_file, x_ferry_idempotency_key="once"),
        ("GET", "v1beta/files", {}, None),
        ("GET", file, {}, None),
        ("DELETE", file, {}, None),
        ("GET", f"{file}:download", {}, None),
        ("GET", "v1beta/batches", {}, None),
        ("GET", batch, {}, None),
        ("POST", f"{batch}:cancel", {}, None),
        ("DELETE", batch, {}, None),
        ("GET", "v1beta/models", {}, None),
        ("GET", f"v1beta/models/{MODELS[provider]}", {}, None),
        *(("POST", f"{model}:{verb}", {}, asked) for verb in PROMPTS),
        *embed(provider),
    ]
