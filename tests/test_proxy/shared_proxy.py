"""The whole application with its own credentials, two tenants and the fakes."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from middlewares.request_keys import GATEWAY, Gateway
from providers.state import State
from proxy.composition import application
from proxy.kinds import KINDS
from proxy.log_lines import json_lines
from proxy.settings import load
from tests.fakes.anthropic import anthropic_app
from tests.fakes.gemini import gemini_app
from tests.fakes.mistral import mistral_app
from tests.fakes.openai import openai_app

ANN, BOB = "token-of-ann-secret", "token-of-bob-secret"
OWN = {
    "openai": "sk-own-secret",
    "anthropic": "sk-ant-api03-own-secret",
    "mistral": "ownsecretofthirtytwocharacters00",
    "gemini": "AIzaOwn-secret",
}
MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-6",
    "mistral": "mistral-small-latest",
    "gemini": "gemini-2.5-flash",
}
PDF = "application/pdf"
_FAKES = {
    "openai": (openai_app, "/v1"),
    "anthropic": (anthropic_app, ""),
    "mistral": (mistral_app, "/v1"),
    "gemini": (gemini_app, ""),
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def document(self) -> Any:
        return orjson.loads(self.text)

    @property
    def ok(self) -> Any:
        assert self.status == 200, self.text
        return self.document

    @property
    def error(self) -> tuple[int, str, str]:
        found = self.document["error"]
        return self.status, found["status"], found["message"]


def requests(*file_uris: str) -> list[dict[str, Any]]:
    """One request that names these files."""
    files = [{"fileData": {"fileUri": uri, "mimeType": PDF}} for uri in file_uris]
    return [{"contents": [{"role": "user", "parts": [{"text": "hi"}, *files]}]}]


def lines(*file_uris: str) -> bytes:
    """The same requests as the lines of a file."""
    return b"".join(
        orjson.dumps({"key": f"k{n}", "request": request}) + b"\n"
        for n, request in enumerate(requests(*file_uris))
    )


@dataclass
class SharedProxy:
    """At the end of a test, every response and log line is searched for secrets."""

    url: URL
    provider: str
    fake: URL
    gateway: Gateway
    state: State
    http: ClientSession
    seen: list[str] = field(default_factory=list)

    async def ask(
        self,
        token: str | None,
        method: str,
        path: str,
        document: Any = None,
        *,
        data: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """`path` is relative to the service's root, or it is an upload URL."""
        target = URL(path, encoded=True) if "://" in path else self.url / "genai" / path
        if "?" in path and "://" not in path:
            target = URL(f"{self.url}/genai/{path}", encoded=True)
        data = orjson.dumps(document) if document is not None else data
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["x-model-provider"] = self.provider
        if token is not None:
            given["x-goog-api-key"] = token
        body = None if data is None else BytesIO(data)
        async with self.http.request(method, target, data=body, headers=given) as reply:
            answer = Answer(reply.status, dict(reply.headers), await reply.text())
        self.seen.append(f"{answer.headers} {answer.text}")
        return answer

    async def start(self, token: str, size: int, name: str = "input.jsonl") -> str:
        """Starts an upload, and returns its URL."""
        mime_type = PDF if name.endswith(".pdf") else "application/jsonl"
        answer = await self.ask(
            token,
            "POST",
            "upload/v1beta/files",
            {"file": {"displayName": name, "mimeType": mime_type}},
            X_Goog_Upload_Protocol="resumable",
            X_Goog_Upload_Command="start",
            X_Goog_Upload_Header_Content_Length=str(size),
            X_Goog_Upload_Header_Content_Type=mime_type,
        )
        assert answer.status == 200, answer.text
        return answer.headers["X-Goog-Upload-URL"]

    async def chunk(self, token: str | None, url: str, data: bytes) -> Answer:
        return await self.ask(
            token,
            "POST",
            url,
            data=data,
            X_Goog_Upload_Command="upload, finalize",
            X_Goog_Upload_Offset="0",
        )

    async def upload(self, token: str, data: bytes = lines(), name: str = "input.jsonl") -> Any:
        """Uploads a file, and returns it."""
        url = await self.start(token, len(data), name)
        return (await self.chunk(None, url, data)).ok["file"]

    async def create(self, token: str, source: Any, key: str | None = None) -> Answer:
        """Creates a batch of requests or of a file; `key` is its idempotency key."""
        headers = {} if key is None else {"x_ferry_idempotency_key": key}
        inline = {"requests": {"requests": [{"request": request} for request in source]}}
        config = {"fileName": source} if isinstance(source, str) else inline
        return await self.ask(
            token,
            "POST",
            f"v1beta/models/{MODELS[self.provider]}:batchGenerateContent",
            {"batch": {"displayName": "a batch", "inputConfig": config}},
            data=None,
            **headers,
        )

    async def listed(self, token: str, what: str, size: int = 100) -> list[str]:
        """The names on all pages of `files` or `batches`."""
        names, page_token = [], ""
        while True:
            page = (await self.ask(token, "GET", f"v1beta/{what}?pageSize={size}{page_token}")).ok
            items = page.get("files" if what == "files" else "operations", [])
            assert items or not page_token, "an empty page that a token led to"
            assert len(items) <= size
            names += [item["name"] for item in items]
            if not page.get("nextPageToken"):
                return names
            page_token = f"&pageToken={page['nextPageToken']}"

    async def steer(self, batch: str) -> None:
        """Makes a batch succeed."""
        native = batch.removeprefix("batches/")
        order = {
            "openai": {"status": "completed"},
            "anthropic": {"status": "ended"},
            "mistral": {"status": "SUCCESS"},
            "gemini": {"state": "SUCCEEDED"},
        }[self.provider]
        async with self.http.post(self.fake / f"_fake/batches/{native}", json=order) as reply:
            assert reply.status == 200, await reply.text()

    async def upstream_requests(self) -> str:
        async with self.http.get(self.fake / "_fake/requests") as reply:
            return await reply.text()


class _LogRecorder(logging.Handler):
    def __init__(self, seen: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(json_lines())
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self._seen.append(self.format(record))


@asynccontextmanager
async def shared_proxy(
    provider: str, directory: Path, monkeypatch: pytest.MonkeyPatch, **settings: str
) -> AsyncIterator[SharedProxy]:
    make_app, root = _FAKES[provider]
    async with AsyncExitStack() as stack:
        fake = await _served(stack, make_app())
        name = f"FERRY_PROVIDERS__{provider.upper()}"
        given = {
            "FERRY_STATE_URL": directory.as_uri(),
            "FERRY_CLIENT_TOKENS": f"{ANN},{BOB}",
            f"{name}__BASE_URL": str(fake).rstrip("/") + root,
            f"{name}__CREDENTIALS": "ambient",
            f"{name}__API_KEY": OWN[provider],
            **settings,
        }
        for setting, value in given.items():
            monkeypatch.setenv(setting, value)
        app = application(load(KINDS))
        url = await _served(stack, app)
        http = await stack.enter_async_context(ClientSession(auto_decompress=False))
        shared = SharedProxy(url, provider, fake, app[GATEWAY], app[GATEWAY].admission.state, http)
        listening = _LogRecorder(shared.seen)
        logging.getLogger().addHandler(listening)
        stack.callback(logging.getLogger().removeHandler, listening)
        yield shared
        for text in shared.seen:
            assert "secret" not in text.replace("secret key", ""), text


async def _served(stack: AsyncExitStack, app: web.Application) -> URL:
    server = TestServer(app)
    await server.start_server(access_log=None, auto_decompress=False)
    stack.push_async_callback(server.close)
    return server.make_url("/").with_path("")
