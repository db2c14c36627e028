"""Makes one of each stored object, as clients do; each method returns what the clients have."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from tests.end_to_end.batch_client import (
    EMBEDDING_MODELS,
    NATIVE_LINES,
    Document,
    asking,
    from_file,
    gemini_line,
    inline,
)
from tests.end_to_end.fake_client import CONVERSE
from tests.stored.open_content import FIRST_CHUNK, content
from tests.stored.scene import CLIENTS, IMMEDIATE, Scene

# More than the proxy sends in one call.
_MANY: Final = 100

# Tests expect these three in every record, also in earlier ones: do not change them.
REQUEST_KEYS: Final = ("first", "second", "third")
DISPLAY_NAME: Final = "a kept name"
KEPT_KEY: Final = "of the kept file"

WARNED: Final = {
    "safetySettings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"},
    ]
}
BATCH_INPUT: Final = "application/jsonl"
FILES: Final[Mapping[str, str]] = {
    "openai": "image/png",
    "anthropic": "image/png",
    "bedrock": "image/png",
    "ann": "image/png",
    "google-ann": "image/png",
}
EMBED: Final = "asyncBatchEmbedContent"
KEPT_MEMBERS: Final = ("displayName", "model", "createTime", "ferryWarnings")
OPEN_UPLOADS: Final = (
    ("openai", "image/png"),  # the part is at the provider
    ("openai", "application/pdf"),  # the parts are in the store, and are sent together
    ("anthropic", BATCH_INPUT),  # the file stays in the store
    ("anthropic", "image/png"),
    ("bedrock", "image/png"),  # the part is in S3
)
TRANSLATED: Final = ("openai", "anthropic", "bedrock")
BATCHES: Final = (*TRANSLATED, "ann")


class Recorder:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    # --- files and uploads -----------------------------------------------------------------------

    async def files(self) -> list[Document]:
        """A file at each provider, and a batch input that the proxy keeps itself."""
        sent = [(client, mime_type, b"a picture") for client, mime_type in FILES.items()]
        line = json.dumps(gemini_line(KEPT_KEY, "a question")).encode() + b"\n"
        sent.append(("anthropic", BATCH_INPUT, line))
        return [await self._file(*each) for each in sent]

    async def _file(self, client: str, mime_type: str, data: bytes) -> Document:
        uploads = self._scene.uploads(client)
        url = await uploads.begin(len(data), mime_type=mime_type, display_name=DISPLAY_NAME)
        file = (await uploads.send(url, 0, data, finalize=True)).file
        digest = hashlib.sha256(data).hexdigest()
        # It contains Google's own URL, which does not outlive the fake.
        kept_url = None if uploads.kind.name == "gemini" else url
        return {"client": client, "url": kept_url, "file": file, "sha256": digest}

    async def open_uploads(self) -> list[Document]:
        return [await self._open_upload(*each) for each in OPEN_UPLOADS]

    async def _open_upload(self, client: str, mime_type: str) -> Document:
        uploads = self._scene.uploads(client)
        data = content()
        url = await uploads.begin(len(data), mime_type=mime_type, display_name=DISPLAY_NAME)
        answer = await uploads.send(url, 0, data[:FIRST_CHUNK])
        assert answer.upload_status == "active", answer
        return {"client": client, "url": url, "mime_type": mime_type}

    async def cancelled_uploads(self) -> list[Document]:
        return [await self._cancelled(client) for client in TRANSLATED]

    async def _cancelled(self, client: str) -> Document:
        uploads = self._scene.uploads(client)
        url = await uploads.begin(100)
        await uploads.command(url, "cancel")
        return {"client": client, "url": url}

    # --- batches ---------------------------------------------------------------------------------

    async def batches(self) -> list[Document]:
        """At every provider: running and ended, from every kind of input."""
        kinds = [
            *((client, source) for client in BATCHES for source in ("file", "inline")),
            *((client, "native") for client in (*TRANSLATED, "google-ann")),
            *((client, "embed") for client in ("openai", "bedrock")),
        ]
        made = [await self._batch(*kind, ended=ended) for kind in kinds for ended in (False, True)]
        immediate = [(client, "inline") for client in IMMEDIATE] + [("small", "embed")]
        made += [await self._batch(*kind, ended=True) for kind in immediate]
        return [*made, await self._without_metadata(), await self._archived()]

    async def _without_metadata(self) -> Document:
        """At a server with OpenAI's API that keeps no metadata of batches."""
        openai = self._scene.fakes["openai"]
        await openai.settings(keeps_metadata=False)
        batch = await self._batch("openai", "file", ended=True)
        await openai.settings(keeps_metadata=True)
        return batch

    async def _archived(self) -> Document:
        """Anthropic no longer has its results, so only our record leads to the request table."""
        batch = await self._batch("anthropic", "file", ended=True)
        await self._scene.fakes["anthropic"].steer(batch["name"], archived=True)
        return {**batch, "archived": True}

    async def _batch(self, client: str, source: str, *, ended: bool) -> Document:
        batches = self._scene.batches(client)
        name = f"{client} {source} {'ended' if ended else 'running'}"
        given = await self._source(client, source)
        how = _embedding(client) if source == "embed" else {}
        operation = (await batches.create(given, displayName=name, **how)).ok
        if ended:
            operation = await batches.ended_by_itself(operation["name"])
        # The other inputs cause no warning.
        assert "ferryWarnings" in operation["metadata"] or source in ("native", "embed")
        return {"client": client, "source": source, **_shown(operation)}

    async def _source(self, client: str, source: str) -> Document:
        if source == "inline":
            return inline(*self._requests())
        native = NATIVE_LINES[CLIENTS[client].name]
        line = {"file": _warned_line, "embed": _embed_line, "native": native}[source]
        lines = (json.dumps(line(key, f"question {key}")) + "\n" for key in REQUEST_KEYS)
        uploaded = await self._file(client, BATCH_INPUT, "".join(lines).encode())
        return from_file(uploaded["file"]["name"])

    def _requests(self) -> list[Document]:
        return [
            {"request": asking(f"question {key}", **WARNED), "metadata": {"key": key}}
            for key in REQUEST_KEYS
        ]

    async def deleted(self) -> list[Document]:
        """A deleted marker hides the batch if the provider cannot delete it."""
        return [
            await self._deleted(client, what)
            for client in ("openai", "bedrock")
            for what in ("batch", "results")
        ]

    async def _deleted(self, client: str, what: str) -> Document:
        batches = self._scene.batches(client)
        batch = await self._batch(client, "file", ended=True)
        gone = await batches.delete(batch["name"] if what == "batch" else batch["results"])
        assert gone.code == 200, gone.content
        return {"what": what, **batch}

    async def repeats(self) -> list[Document]:
        made = [await self._repeat(client) for client in (*BATCHES, "instant-ann")]
        return [*made, await self._lost()]

    async def _repeat(self, client: str) -> Document:
        source, key = inline(*self._requests()), f"the key of {client}"
        batches = self._scene.batches(client)
        batch = (await batches.create(source, headers=_with_key(key))).ok
        if client == "instant-ann":
            await batches.ended_by_itself(batch["name"])
        return {"client": client, "key": key, "source": source, "name": batch["name"]}

    async def _lost(self) -> Document:
        """A creation whose answer was lost, so the proxy does not know the new batch."""
        openai, batches = self._scene.fakes["openai"], self._scene.batches("openai")
        source, key = inline(*self._requests()), "the key of a lost answer"
        create = {"method": "POST", "path": "^/v1/batches$"}
        look_up = {"method": "GET", "path": "^/v1/batches$", "times": _MANY}
        await openai.arm(create, "lose_answer")
        await openai.arm(look_up, "status", status=503)
        answer = await batches.create(source, headers=_with_key(key))
        assert answer.code == 503, answer.content
        name = f"batches/{(await openai.objects())['batches'][-1]}"
        return {"client": "openai", "key": key, "source": source, "name": name}

    async def interrupted(self) -> list[Document]:
        """Batches that the proxy runs itself; each has one request whose answer is delayed."""
        return [await self._interrupted(client) for client in IMMEDIATE]

    async def _interrupted(self, client: str) -> Document:
        bedrock, batches = self._scene.fakes["bedrock"], self._scene.batches(client)
        held = await bedrock.arm(CONVERSE, "delay", nth=len(REQUEST_KEYS))
        batch = await self._batch(client, "inline", ended=False)
        await bedrock.struck(held)
        await batches.until_answered(batch["name"], len(REQUEST_KEYS) - 1)
        return batch


def _warned_line(key: str, text: str) -> Document:
    return gemini_line(key, text, **WARNED)


def _embedding(client: str) -> Document:
    """The body that creates a batch of embeddings."""
    return {"verb": EMBED, "model": EMBEDDING_MODELS[CLIENTS[client].name]}


def _embed_line(key: str, text: str) -> Document:
    """A line whose answer is short."""
    content = {"parts": [{"text": text}]}
    return {"key": key, "request": {"content": content, "outputDimensionality": 256}}


def _shown(operation: Document) -> Document:
    """The members of a batch that must not change once a client has seen them."""
    metadata = operation["metadata"]
    return {
        "name": operation["name"],
        "ended": operation["done"],
        "kept": {member: metadata.get(member) for member in KEPT_MEMBERS},
        "results": metadata.get("output", {}).get("responsesFile"),
    }


def _with_key(key: str) -> dict[str, str]:
    return {"x-ferry-idempotency-key": key}
