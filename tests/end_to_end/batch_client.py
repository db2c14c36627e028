"""Files and batches by plain HTTP: requests that no SDK sends, and answers that SDKs hide."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from aiohttp import ClientSession
from multidict import CIMultiDictProxy
from yarl import URL

from tests.end_to_end.fake_client import Kind

Document = dict[str, Any]

ENDED: Final = (
    "BATCH_STATE_SUCCEEDED",
    "BATCH_STATE_FAILED",
    "BATCH_STATE_CANCELLED",
    "BATCH_STATE_EXPIRED",
)
LOOKS: Final = 10
"""A fake advances a batch by one state at each get, so a few gets reach its end."""

WORK_SECONDS: Final = 20.0
"""How long a batch may take that the proxy runs itself."""
PAUSE_SECONDS: Final = 0.05
"""Between two gets of such a batch, which a get does not advance."""

MODELS: Final = {
    "gemini": "gemini-2.5-flash",
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "mistral": "mistral-small-latest",
    "bedrock": "anthropic.claude-haiku-4-5-20251001-v1:0",
}
EMBEDDING_MODELS: Final = {
    "gemini": "gemini-embedding-001",
    "openai": "text-embedding-3-small",
    "mistral": "codestral-embed",
    "bedrock": "amazon.titan-embed-text-v2:0",
}


@dataclass(frozen=True)
class Answer:
    code: int
    headers: CIMultiDictProxy[str]
    content: bytes

    @property
    def document(self) -> Document:
        document: Document = json.loads(self.content)
        return document

    @property
    def ok(self) -> Document:
        assert self.code == 200, self.content[:2000]
        return self.document

    @property
    def error(self) -> tuple[int, str]:
        """The HTTP status, and Google's name for it; the envelope must have the same two."""
        error = self.document["error"]
        assert error["code"] == self.code, error
        return self.code, error["status"]

    @property
    def message(self) -> str:
        return str(self.document["error"]["message"])


class BatchClient:
    """A client of one proxy for one kind of upstream."""

    def __init__(self, base_url: str, kind: Kind, session: ClientSession) -> None:
        self.base_url = base_url
        self.kind = kind
        self._session = session

    @property
    def model(self) -> str:
        return MODELS[self.kind.name]

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Any call below `/genai`; a `body` that is not bytes is sent as JSON."""
        sent = {
            "x-goog-api-key": self.kind.key if key is None else key,
            "Content-Type": "application/json",
            **self.kind.headers,
            **(headers or {}),
        }
        sent = {name: value for name, value in sent.items() if value}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        data = None if content is None else BytesIO(content)
        url = URL(f"{self.base_url}/{path}", encoded=True)
        async with self._session.request(method, url, data=data, headers=sent) as reply:
            return Answer(reply.status, reply.headers, await reply.read())

    # --- files -----------------------------------------------------------------------------------

    async def upload(self, content: bytes, name: str = "lines.jsonl") -> str:
        """Uploads a file by the raw protocol; returns its name."""
        sent = {
            "X-Goog-Upload-Protocol": "raw",
            "X-Goog-Upload-File-Name": name,
            "Content-Type": "application/jsonl",
        }
        answer = await self.call("POST", "upload/v1beta/files", content, sent)
        return str(answer.ok["file"]["name"])

    async def upload_lines(self, lines: Sequence[object]) -> str:
        return await self.upload("".join(json.dumps(line) + "\n" for line in lines).encode())

    async def download(self, name: str) -> list[Document]:
        """The lines of a results file."""
        answer = await self.call("GET", f"v1beta/{name}:download?alt=media")
        assert answer.code == 200, answer.content
        assert not answer.content or answer.content.endswith(b"\n")
        return [json.loads(line) for line in answer.content.splitlines()]

    # --- batches ---------------------------------------------------------------------------------

    async def create(
        self,
        source: Document,
        *,
        model: str | None = None,
        verb: str = "batchGenerateContent",
        headers: Mapping[str, str] | None = None,
        **batch: object,
    ) -> Answer:
        """`source` is the `inputConfig`; see `from_file` and `inline`."""
        body = {"batch": {"inputConfig": source, **batch}}
        return await self.call("POST", f"v1beta/models/{model or self.model}:{verb}", body, headers)

    async def get(self, name: str) -> Answer:
        return await self.call("GET", f"v1beta/{name}")

    async def cancel(self, name: str) -> Answer:
        return await self.call("POST", f"v1beta/{name}:cancel")

    async def delete(self, name: str) -> Answer:
        return await self.call("DELETE", f"v1beta/{name}")

    async def ended(self, name: str) -> Document:
        """The batch, polled until it has ended."""
        for _ in range(LOOKS):
            document = (await self.get(name)).ok
            ended = document["metadata"]["state"] in ENDED
            assert document["done"] is ended
            if ended:
                return document
        raise AssertionError(f"{name} did not end")

    async def ended_by_itself(self, name: str) -> Document:
        """Like `ended`, for a batch that the proxy runs itself, with or without gets."""
        async with asyncio.timeout(WORK_SECONDS):
            # A client has no event to wait for.
            while not (document := (await self.get(name)).ok)["done"]:  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)
        return document

    async def until_answered(self, name: str, count: int) -> None:
        """Waits until `count` requests of a batch that the proxy runs itself have succeeded."""
        async with asyncio.timeout(WORK_SECONDS):
            while await self._answered(name) != count:  # noqa: ASYNC110 - as above
                await asyncio.sleep(PAUSE_SECONDS)

    async def _answered(self, name: str) -> int:
        stats = (await self.get(name)).ok["metadata"]["batchStats"]
        return int(stats.get("successfulRequestCount", 0))

    async def finished(self, source: Document, **how: Any) -> list[Document]:
        """Creates a batch; returns its results."""
        name = (await self.create(source, **how)).ok["name"]
        return await self.results(await self.ended(name))

    async def results(self, batch: Document) -> list[Document]:
        """The results of an ended batch, from its file or inline."""
        output = batch["metadata"]["output"]
        if "responsesFile" in output:
            return await self.download(output["responsesFile"])
        (inline,) = output.values()
        results: list[Document] = inline["inlinedResponses"]
        return results


# --- what is sent --------------------------------------------------------------------------------


def from_file(name: str) -> Document:
    return {"fileName": name}


def inline(*requests: Document) -> Document:
    """The items are `{"request", "metadata"?}`."""
    return {"requests": {"requests": list(requests)}}


def asking(text: str, **fields: object) -> Document:
    """A Gemini request, with further top-level fields."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}


def gemini_line(key: str, text: str, **fields: object) -> Document:
    return {"key": key, "request": asking(text, **fields)}


def chat_line(custom_id: str, text: str, model: str = MODELS["openai"]) -> Document:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}


def anthropic_line(custom_id: str, text: str, model: str = MODELS["anthropic"]) -> Document:
    params = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "params": params}


def mistral_line(custom_id: str, text: str) -> Document:
    return {"custom_id": custom_id, "body": {"messages": [{"role": "user", "content": text}]}}


def converse_line(record_id: str, text: str) -> Document:
    messages = [{"role": "user", "content": [{"text": text}]}]
    return {"recordId": record_id, "modelInput": {"messages": messages}}


NATIVE_LINES: Final[Mapping[str, Callable[[str, str], Document]]] = {
    "gemini": gemini_line,
    "openai": chat_line,
    "anthropic": anthropic_line,
    "mistral": mistral_line,
    "bedrock": converse_line,
}
"""A line in each provider's own format."""


# --- what comes back -----------------------------------------------------------------------------


def text_of(result: Document) -> str:
    """The text of a result's answer."""
    parts: list[Document] = result["response"]["candidates"][0]["content"]["parts"]
    return "".join(part["text"] for part in parts)


def by_key(results: Sequence[Document]) -> dict[str, Document]:
    """The lines of a results file by key; each key must appear once."""
    keyed = {result["key"]: result for result in results}
    assert len(keyed) == len(results), "a request has several results"
    return keyed
