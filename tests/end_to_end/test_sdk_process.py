"""The runners, against a server that records requests and gives fixed answers.

What is tested here is that every SDK is driven alike; what the proxy answers is tested elsewhere.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import EVERY_SDK, GO, PYTHON_NEWEST, Sdk, SdkError, SdkProcess

CHUNK = 8 << 20
BATCH = {
    "name": "batches/one",
    "metadata": {
        "state": "BATCH_STATE_SUCCEEDED",
        "displayName": "a job",
        "output": {"responsesFile": "files/results"},
    },
    "done": True,
}

HEADERS = {"x-model-provider": "openai"}

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Recorder:
    """Answers in Gemini's shape and records what was sent."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    declared: str | None = None
    created: dict[str, Any] = field(default_factory=dict)
    uploaded: bytearray = field(default_factory=bytearray)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        command = request.headers.get("X-Goog-Upload-Command")
        if command == "start":
            return self.started(request, body)
        if command is not None:
            return self.chunk(request, body, command)
        resource = request.path.removeprefix("/genai/").partition("/")[2]
        self.calls.append((request.method, resource))
        self.headers = dict(request.headers)
        return self.answer(request, resource, body)

    def started(self, request: web.Request, body: bytes) -> web.Response:
        self.start = json.loads(body)
        self.declared = request.headers.get("X-Goog-Upload-Header-Content-Length")
        return web.Response(headers={"X-Goog-Upload-URL": f"{request.url.origin()}/genai/upload/1"})

    def chunk(self, request: web.Request, body: bytes, command: str) -> web.Response:
        assert int(request.headers["X-Goog-Upload-Offset"]) == len(self.uploaded)
        self.uploaded += body
        if "finalize" not in command:
            return web.Response(headers={"X-Goog-Upload-Status": "active"})
        file = {"name": "files/sent", "sizeBytes": str(len(self.uploaded))}
        return web.json_response({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    def answer(self, request: web.Request, resource: str, body: bytes) -> web.Response:
        if resource.endswith(":download"):
            return web.Response(body=pattern_bytes(1000))
        if resource in ("files", "batches"):
            return web.json_response(one_page(resource, request.query))
        if resource == "files/absent":
            error = {"code": 404, "message": "there is no such file", "status": "NOT_FOUND"}
            return web.json_response({"error": error}, status=404)
        if resource.startswith("models/"):
            self.created = json.loads(body)
            return web.json_response(BATCH)
        if request.method == "DELETE" or resource.endswith(":cancel"):
            return web.json_response({})
        return web.json_response(BATCH if resource.startswith("batches/") else {"name": resource})


class RecordingServer:
    """A server whose recorder each test replaces."""

    recorder: Recorder

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=CHUNK + 1)
        app.router.add_route("*", "/genai/{path:.*}", self._handle)
        self._server = TestServer(app)
        await self._server.start_server()
        self.base_url = str(self._server.make_url("/genai"))
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._server.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        return await self.recorder.handle(request)


def one_page(resource: str, query: Any) -> dict[str, Any]:
    """Three pages of one item each."""
    assert query["pageSize"] == "1"
    number = int(query.get("pageToken", "0"))
    item = {"name": f"{resource}/{number}"}
    listed = {"files": [item]} if resource == "files" else {"operations": [item]}
    return listed | ({"nextPageToken": str(number + 1)} if number < 2 else {})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RecordingServer]:
    async with RecordingServer() as server:
        yield server


@pytest.fixture(autouse=True)
def recorder(server: RecordingServer) -> Recorder:
    """Records the requests of one test only."""
    server.recorder = Recorder()
    return server.recorder


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=EVERY_SDK, ids=str)
async def process(
    server: RecordingServer, request: pytest.FixtureRequest
) -> AsyncIterator[SdkProcess]:
    """One process for the whole module: its start takes longer than a test."""
    sdk: Sdk = request.param
    async with sdk.start(server.base_url, api_key="a-key", headers=HEADERS) as process:
        yield process


async def test_uploads_the_pattern_in_chunks(process: SdkProcess, recorder: Recorder) -> None:
    size = CHUNK + 12_345

    file = await process.call(
        "files.upload", size=size, mime_type="text/plain", display_name="a name"
    )

    assert (file["name"], int(file["sizeBytes"])) == ("files/sent", size)
    assert digest(recorder.uploaded) == digest(pattern_bytes(size))
    described = recorder.start["file"]
    assert "a name" in (described.get("displayName"), described.get("display_name"))


async def test_uploads_a_file_from_disk(
    process: SdkProcess, recorder: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b'{"key": "a"}\n')

    await process.call("files.upload", path=str(path), mime_type="application/jsonl")

    assert recorder.uploaded == b'{"key": "a"}\n'
    assert recorder.declared == "13"


async def test_go_uploads_a_reader_without_its_size(
    server: RecordingServer, recorder: Recorder
) -> None:
    async with GO.start(server.base_url) as process:
        await process.call("files.upload_reader", size=CHUNK, mime_type="text/plain")

    assert recorder.declared is None
    assert digest(recorder.uploaded) == digest(pattern_bytes(CHUNK))


@pytest.mark.parametrize("resource", ["files", "batches"])
async def test_lists_every_page(process: SdkProcess, resource: str) -> None:
    listed = await process.call(f"{resource}.list", page_size=1)

    assert listed["pages"] == 3
    assert [item["name"] for item in listed["items"]] == [f"{resource}/{n}" for n in range(3)]


async def test_downloads_by_name_and_by_file(
    process: SdkProcess, server: RecordingServer, tmp_path: Path
) -> None:
    by_name, by_file = tmp_path / "by_name", tmp_path / "by_file"
    uri = f"{server.base_url}/v1beta/files/results:download"
    file = {"name": "files/results", "downloadUri": uri}

    named = await process.call("files.download", name="files/results", path=str(by_name))
    handed = await process.call("files.download", file=file, path=str(by_file))

    assert named == handed == {"size": 1000}
    assert by_name.read_bytes() == by_file.read_bytes() == pattern_bytes(1000)


async def test_gets_and_deletes_files_with_the_clients_headers(
    process: SdkProcess, recorder: Recorder
) -> None:
    assert (await process.call("files.get", name="files/one"))["name"] == "files/one"
    await process.call("files.delete", name="files/one")

    assert recorder.calls == [("GET", "files/one"), ("DELETE", "files/one")]
    sent = {name.lower(): value for name, value in recorder.headers.items()}
    assert (sent["x-goog-api-key"], sent["x-model-provider"]) == ("a-key", "openai")


async def test_reports_the_error_of_the_sdk(process: SdkProcess) -> None:
    with pytest.raises(SdkError) as raised:
        await process.call("files.get", name="files/absent")

    error = raised.value
    assert (error.code, error.status) == (404, "NOT_FOUND")
    assert error.message == "there is no such file"


async def test_creates_a_batch_from_a_file(process: SdkProcess, recorder: Recorder) -> None:
    job = await process.call(
        "batches.create", model="m", src="files/sent", config={"displayName": "a job"}
    )

    assert recorder.calls == [("POST", "models/m:batchGenerateContent")]
    assert recorder.created["batch"] == {
        "inputConfig": {"fileName": "files/sent"},
        "displayName": "a job",
    }
    assert (job["name"], job["state"], job["displayName"], job["dest"]) == (
        "batches/one",
        "JOB_STATE_SUCCEEDED",
        "a job",
        {"fileName": "files/results"},
    )


async def test_creates_a_batch_of_inlined_requests(process: SdkProcess, recorder: Recorder) -> None:
    request = {
        "contents": [{"role": "user", "parts": [{"text": "What is 2+2?"}]}],
        "metadata": {"question": "1"},
        "config": {"maxOutputTokens": 16, "systemInstruction": {"parts": [{"text": "Be brief."}]}},
    }

    await process.call("batches.create", model="m", src=[request, request])

    sent = recorder.created["batch"]["inputConfig"]["requests"]["requests"]
    assert [one["metadata"] for one in sent] == [{"question": "1"}] * 2
    assert sent[0]["request"]["contents"] == request["contents"]
    assert sent[0]["request"]["generationConfig"] == {"maxOutputTokens": 16}
    assert sent[0]["request"]["systemInstruction"]["parts"] == [{"text": "Be brief."}]


async def test_creates_a_batch_of_embeddings(process: SdkProcess, recorder: Recorder) -> None:
    contents = [{"role": "user", "parts": [{"text": text}]} for text in ("a", "b")]

    await process.call(
        "batches.create_embeddings",
        model="m",
        src={"inlinedRequests": {"contents": contents, "config": {"outputDimensionality": 8}}},
    )

    assert recorder.calls == [("POST", "models/m:asyncBatchEmbedContent")]
    sent = recorder.created["batch"]["inputConfig"]["requests"]["requests"]
    assert [one["request"]["content"]["parts"] for one in sent] == [
        [{"text": "a"}],
        [{"text": "b"}],
    ]
    assert [one["request"]["outputDimensionality"] for one in sent] == [8, 8]


async def test_gets_cancels_and_deletes_batches(process: SdkProcess, recorder: Recorder) -> None:
    job = await process.call("batches.get", name="batches/one")
    assert await process.call("batches.cancel", name="batches/one") is None
    await process.call("batches.delete", name="batches/one")

    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert recorder.calls == [
        ("GET", "batches/one"),
        ("POST", "batches/one:cancel"),
        ("DELETE", "batches/one"),
    ]


async def test_a_runner_that_ends_is_an_error(server: RecordingServer) -> None:
    no_key_and_so_no_client = ""

    async with PYTHON_NEWEST.start(server.base_url, api_key=no_key_and_so_no_client) as process:
        with pytest.raises(RuntimeError, match="the python runner ended during"):
            await process.call("files.get", name="files/one")


def digest(content: bytes | bytearray) -> bytes:
    return hashlib.sha256(content).digest()
