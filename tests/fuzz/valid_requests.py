"""Valid requests of every operation on every provider; the fuzzer changes them."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from tests.end_to_end.batch_client import EMBEDDING_MODELS, MODELS, NATIVE_LINES
from tests.end_to_end.fake_client import KINDS

Document = dict[str, Any]
REMEMBERED: Final = 50
"""Names of each kind that later requests use."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, *more: tuple[str, str]) -> "Request":
        return replace(self, headers=(*self.headers, *more))


def _names() -> deque[str]:
    return deque(maxlen=REMEMBERED)


@dataclass
class Names:
    """What earlier answers at one provider named."""

    files: deque[str] = field(default_factory=_names)
    batches: deque[str] = field(default_factory=_names)
    uploads: deque[str] = field(default_factory=_names)
    tokens: deque[str] = field(default_factory=_names)

    def learn(self, headers: Mapping[str, str], document: object) -> None:
        url = headers.get("x-goog-upload-url", "")
        if url:
            self.uploads.append("/genai" + url.partition("/genai")[2])
        if not isinstance(document, dict):
            return
        for one in (document, document.get("file"), *_listed(document)):
            if isinstance(one, dict):
                self._learn_name(one.get("name"))
        metadata = document.get("metadata")
        output = metadata.get("output") if isinstance(metadata, dict) else None
        if isinstance(output, dict):
            self._learn_name(output.get("responsesFile"))
        if isinstance(document.get("nextPageToken"), str):
            self.tokens.append(document["nextPageToken"])

    def _learn_name(self, name: object) -> None:
        if isinstance(name, str) and name.startswith("files/"):
            self.files.append(name)
        elif isinstance(name, str) and name.startswith("batches/"):
            self.batches.append(name)


def _listed(document: Document) -> list[Any]:
    lists = (document.get("files"), document.get("operations"))
    return [one for listed in lists if isinstance(listed, list) for one in listed]


@dataclass(frozen=True)
class Provider:
    """`kind` is that of its fake, and `name` the one in the proxy's settings."""

    name: str
    kind: str
    key: str
    names: Names = field(default_factory=Names)

    @property
    def authorised(self) -> tuple[tuple[str, str], ...]:
        return (("x-goog-api-key", self.key), ("x-model-provider", self.name))


class ValidRequests:
    """Draws one after another from `random`."""

    def __init__(self, random: Random, providers: list[Provider]) -> None:
        self._random = random
        self._providers = providers
        self._drawn: Provider = providers[0]

    def draw(self) -> tuple[Provider, Request]:
        self._drawn = self._random.choice(self._providers)
        made: Callable[[], Request] = self._random.choices(
            [
                self._start,
                self._command,
                self._raw_upload,
                self._multipart_upload,
                self._file_call,
                self._new_batch,
                self._batch_call,
                self._list,
                self._model_call,
                self._outside,
            ],
            weights=[10, 15, 8, 6, 12, 20, 14, 8, 5, 2],
        )[0]
        return self._drawn, made()

    def _call(self, method: str, path: str, body: Document | None = None) -> Request:
        version = self._random.choice(["v1beta/", "v1beta/", "v1beta/", "v1/", "v1/v1beta/", ""])
        request = Request(method, f"/genai/{version}{path}", self._drawn.authorised)
        if body is None:
            return request
        content = ("Content-Type", "application/json")
        return replace(request.with_headers(content), body=json.dumps(body).encode())

    def _one_of(self, names: deque[str], otherwise: str) -> str:
        return self._random.choice(names) if names else otherwise

    # --- uploads ---------------------------------------------------------------------------------

    def _start(self) -> Request:
        size = self._random.choice([None, "0", "10", "100", "8388608", "99999999999"])
        length = [] if size is None else [("X-Goog-Upload-Header-Content-Length", size)]
        name = self._random.choice(["displayName", "display_name"])
        return self._call("POST", "upload/files", {"file": {name: "a name"}}).with_headers(
            ("X-Goog-Upload-Protocol", "resumable"),
            ("X-Goog-Upload-Command", "start"),
            ("X-Goog-Upload-Header-Content-Type", self._mime_type()),
            *length,
        )

    def _command(self) -> Request:
        target = self._one_of(self._drawn.names.uploads, "/genai/upload/v1beta/files?upload_id=x")
        command = self._random.choice(
            ["upload, finalize", "upload, finalize", "upload", "finalize", "query", "cancel"]
        )
        body = self._random.randbytes(self._random.choice([0, 10, 100, 4096]))
        headers = (("X-Goog-Upload-Command", command), ("X-Goog-Upload-Offset", "0"))
        method = self._random.choice(["POST", "PUT"])
        return Request(method, target, headers, body if "upload" in command else b"")

    def _raw_upload(self) -> Request:
        request = self._call("POST", "upload/files").with_headers(
            ("X-Goog-Upload-Protocol", "raw"),
            ("X-Goog-Upload-File-Name", "lines.jsonl"),
            ("Content-Type", "application/jsonl"),
        )
        return replace(request, body=self._lines())

    def _multipart_upload(self) -> Request:
        parts = [
            ("application/json", json.dumps({"file": {"displayName": "a name"}}).encode()),
            (self._mime_type(), self._lines()),
        ]
        body = b"".join(
            b"--limit\r\nContent-Type: %s\r\n\r\n%s\r\n" % (mime_type.encode(), content)
            for mime_type, content in parts
        )
        request = self._call("POST", "upload/files").with_headers(
            ("X-Goog-Upload-Protocol", "multipart"),
            ("Content-Type", "multipart/related; boundary=limit"),
        )
        return replace(request, body=body + b"--limit--\r\n")

    def _mime_type(self) -> str:
        return self._random.choice(["image/png", "application/jsonl", "text/plain", "video/mp4"])

    def _lines(self) -> bytes:
        line = self._random.choice([NATIVE_LINES[self._drawn.kind], _gemini_line])
        count = self._random.choice([1, 2, 5])
        made = [line(f"key-{n}", f"text {n}") for n in range(count)]
        return b"".join(json.dumps(one).encode() + b"\n" for one in made)

    # --- files, batches, models ------------------------------------------------------------------

    def _file_call(self) -> Request:
        name = self._one_of(self._drawn.names.files, "files/oabc")
        path = self._random.choice([name, name, f"{name}:download?alt=media"])
        if path is name and self._random.random() < 0.2:
            return self._call("DELETE", name)
        return self._call("GET", path)

    def _new_batch(self) -> Request:
        verb, model = "batchGenerateContent", MODELS[self._drawn.kind]
        make: Callable[[], Document] = self._generation
        if self._drawn.kind in EMBEDDING_MODELS and self._random.random() < 0.3:
            verb, model = "asyncBatchEmbedContent", EMBEDDING_MODELS[self._drawn.kind]
            make = self._embedding
        source: Document = {"fileName": self._one_of(self._drawn.names.files, "files/oabc")}
        if self._random.random() < 0.7:
            count = self._random.choice([1, 2, 3])
            asked = [{"request": make(), "metadata": {"n": str(n)}} for n in range(count)]
            source = {"requests": {"requests": asked}}
        body = {"batch": {"displayName": "a batch", "inputConfig": source}}
        request = self._call("POST", f"models/{model}:{verb}", body)
        if self._random.random() < 0.2:
            key = f"key {self._random.randrange(20)}"
            request = request.with_headers(("x-ferry-idempotency-key", key))
        return request

    def _batch_call(self) -> Request:
        name = self._one_of(self._drawn.names.batches, "batches/batch_abc")
        return self._random.choice(
            [
                self._call("GET", name),
                self._call("GET", name),
                self._call("POST", f"{name}:cancel"),
                self._call("DELETE", name),
            ]
        )

    def _list(self) -> Request:
        collection = self._random.choice(["files", "batches"])
        size = self._random.choice([1, 2, 10])
        token = self._one_of(self._drawn.names.tokens, "")
        return self._call("GET", f"{collection}?pageSize={size}&pageToken={token}")

    def _model_call(self) -> Request:
        model = MODELS[self._drawn.kind]
        verb = self._random.choice(["generateContent", "countTokens", "streamGenerateContent"])
        if self._random.random() < 0.3:
            return self._call("GET", self._random.choice(["models", f"models/{model}"]))
        if self._random.random() < 0.3:
            return self._embedding_call(EMBEDDING_MODELS.get(self._drawn.kind, model))
        body = self._generation()
        if verb == "countTokens" and self._random.random() < 0.7:
            body = {"generateContentRequest": body}
        return self._call("POST", f"models/{model}:{verb}", body)

    def _embedding_call(self, model: str) -> Request:
        requests = [self._embedding() | {"model": f"models/{model}"} for _ in range(3)]
        if self._random.random() < 0.3:
            return self._call("POST", f"models/{model}:embedContent", requests[0])
        return self._call("POST", f"models/{model}:batchEmbedContents", {"requests": requests})

    def _outside(self) -> Request:
        path = self._random.choice(["/healthz", "/readyz", "/metrics", "/", "/genai", "*"])
        return Request(self._random.choice(["GET", "HEAD", "OPTIONS", "POST"]), path)

    def _generation(self) -> Document:
        request: Document = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
        for name, value in GENERATION_FIELDS.items():
            if self._random.random() < 0.15:
                request[name] = value
        if self._random.random() < 0.2:
            request["contents"] += CALL_AND_ANSWER
        return request

    def _embedding(self) -> Document:
        request: Document = {"content": {"parts": [{"text": "hello"}]}}
        if self._random.random() < 0.5:
            request["outputDimensionality"] = self._random.choice([8, 256, 1024])
        return request


def _gemini_line(key: str, text: str) -> Document:
    return {"key": key, "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}}


GENERATION_FIELDS: Final[Document] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 3,
        "maxOutputTokens": 100,
        "stopSequences": ["stop"],
        "candidateCount": 1,
        "seed": 7,
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "OBJECT",
            "properties": {"names": {"type": "ARRAY", "items": {"type": "STRING"}}},
            "required": ["names"],
        },
        "thinkingConfig": {"thinkingBudget": 1024},
    },
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "look",
                    "description": "Looks.",
                    "parameters": {"type": "OBJECT", "properties": {"at": {"type": "STRING"}}},
                }
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
    "safetySettings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
    ],
}
CALL_AND_ANSWER: Final[list[Document]] = [
    {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": "it"}}}]},
    {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "look", "response": {"result": "seen"}}},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://host/image.png"}},
        ],
    },
]

KEYS: Final = {name: kind.key for name, kind in KINDS.items()}
