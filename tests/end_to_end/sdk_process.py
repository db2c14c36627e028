"""Runs each SDK in a process of its own, so one test suite serves every SDK.

    async with PYTHON_NEWEST.start(base_url, headers={"x-model-provider": "openai"}) as sdk:
        file = await sdk.call("files.upload", size=20 << 20, mime_type="text/plain")

The protocol is one JSON object a line. A runner reads `{"id", "call", "args"}` and answers
`{"id", "ok"}` or `{"id", "error": {"name", "code", "status", "message"}}`, one command at a time,
until its input ends. Its client is made from `FERRY_BASE_URL`, `FERRY_API_KEY` and `FERRY_HEADERS`.

| call                         | arguments                                                      |
|------------------------------|----------------------------------------------------------------|
| `files.upload`               | `path`, or `size` (see `pattern`); `mime_type`, `display_name` |
| `files.upload_reader`        | Go only: `size`, which the SDK does not know; as above         |
| `files.list`, `batches.list`,| `page_size`; answers `{"items": [...], "pages": n}`            |
| `models.list`                |                                                                |
| `files.download`             | `name` or `file`, and the `path` to write; answers `{"size"}`  |
| `batches.create`             | `model`, `src` (a file's name or a list of requests), `config` |
| `batches.create_embeddings`  | as above, `src` being `{"fileName"}` or `{"inlinedRequests"}`  |
| `file_search_stores.upload`  | `path`, `mime_type`, `display_name`; answers the document that |
|                              | the upload makes in a store of its own                         |
| `models.generate`            | `model`, `contents`, `config`; with `tool`, the SDK calls the  |
|                              | program's function `weather(place)` by itself (not Go)         |
| `models.stream`              | as above without `tool`; answers `{"items": [chunk, ...]}`     |
| `models.stream_and_leave`    | as above; leaves after a chunk, and answers `{"item": chunk}`  |
| `chats.talk`                 | `model`, `messages`, `stream`, `tool`, `config`; answers       |
|                              | `{"items": [{"text", "promptTokenCount"}], "history": [...]}`  |
| `models.count`               | `model`, `contents`                                            |
| `models.embed`               | `model`, `contents` (a list of texts), `config`                |
| every other                  | `name`                                                         |

Requests, configs and answers are in camelCase with `contents` written out as a list of contents:
the one spelling that every SDK reads. An answer is the SDK's own object as JSON, so that a 64-bit
number (`sizeBytes`) is a number or a string as the SDK has it, and an absent result is None.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ANSWER_LIMIT = 256 << 20
"""The most bytes of one answer: an inline job's results are one line."""

EXIT_SECONDS = 10.0
"""How long a runner may take to exit once its input has ended."""

FOREIGN_SETTINGS = ("FERRY_", "GEMINI_", "GOOGLE_")
"""The developer's own settings, which a runner's client must not get."""


@dataclass
class SdkError(Exception):
    """What an SDK raised: its class's name, the HTTP code, Google's status, and the message.

    `code` and `status` are None if the SDK reports only the answer's text.
    """

    name: str
    code: int | None
    status: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.name} {self.code} {self.status}: {self.message}"


@dataclass(frozen=True)
class Sdk:
    """One SDK: how its runner starts, and which file shows that `make sdks` installed it."""

    name: str
    command: tuple[str, ...]
    needs: Path
    environment: dict[str, str] = field(default_factory=dict)
    toolchain: tuple[str, ...] = ()
    """Without these programs the runner may be absent, even in CI."""

    def __str__(self) -> str:
        return self.name

    def start(
        self, base_url: str, *, api_key: str = "test-key", headers: dict[str, str] | None = None
    ) -> "SdkProcess":
        """A client of `base_url`, to enter; skips the test if the SDK is not installed."""
        self.require()
        return SdkProcess(
            self,
            {
                "FERRY_BASE_URL": base_url,
                "FERRY_API_KEY": api_key,
                "FERRY_HEADERS": json.dumps(headers or {}),
            },
        )

    def require(self) -> None:
        """Skips the calling test if the SDK is not installed; in CI the test fails."""
        if self.needs.exists():
            return
        for program in self.toolchain:
            if shutil.which(program) is None:
                pytest.skip(f"{self.name}: no {program} on this machine")
        absent = f"{self.name}: {self.needs.relative_to(ROOT)} is missing: run `make sdks`"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)


class SdkProcess:
    """A runner that has been started, as an async context manager."""

    def __init__(self, sdk: Sdk, client: dict[str, str]) -> None:
        self.sdk = sdk
        self._client = client
        self._turn = asyncio.Lock()
        self._calls = 0

    async def __aenter__(self) -> Self:
        own = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN_SETTINGS)}
        self._process = await asyncio.create_subprocess_exec(
            *self.sdk.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=own | self.sdk.environment | self._client,
            cwd=ROOT,
            limit=ANSWER_LIMIT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._commands, self._answers = self._process.stdin, self._process.stdout
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._commands.close()
        try:
            async with asyncio.timeout(EXIT_SECONDS):
                await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def call(self, call: str, **args: Any) -> Any:
        """The SDK's answer to one call, as JSON. Raises SdkError for an exception of the SDK."""
        async with self._turn:
            self._calls += 1
            command = {"id": self._calls, "call": call, "args": args}
            # A runner that has ended is detected at the end of its answers, not here.
            with contextlib.suppress(ConnectionError):
                self._commands.write(json.dumps(command).encode() + b"\n")
                await self._commands.drain()
            line = await self._answers.readline()
        if not line:
            raise RuntimeError(f"the {self.sdk} runner ended during {call}")
        answer = json.loads(line)
        assert answer["id"] == command["id"], "an answer to another command"
        if "error" in answer:
            raise SdkError(**answer["error"])
        return answer["ok"]


def _python(name: str, interpreter: Path, mode: str) -> Sdk:
    command = (str(interpreter), "-m", f"{__package__}.python_runner")
    return Sdk(name, command, needs=interpreter, environment={"FERRY_MODE": mode})


def _java(name: str, release: str) -> Sdk:
    built = HERE / "java" / "target"
    path = os.pathsep.join((f"{built}/{release}/classes", f"{built}/{release}/dependency/*"))
    quick_start = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    command = ("java", *quick_start, "-cp", path, "Runner")
    return Sdk(name, command, needs=built / ".built", toolchain=("mvn", "javac"))


_NEWEST = Path(sys.executable)
_RELEASE_2 = ROOT / ".venv-sdk2" / "bin" / "python"
_GO_RUNNER = HERE / "go" / "bin" / "runner"

PYTHON_NEWEST = _python("python", _NEWEST, "sync")
PYTHON_NEWEST_ASYNC = _python("python-async", _NEWEST, "async")
PYTHON_2X = _python("python-2x", _RELEASE_2, "sync")
PYTHON_2X_ASYNC = _python("python-2x-async", _RELEASE_2, "async")
JAVASCRIPT = Sdk(
    "javascript",
    ("node", str(HERE / "javascript" / "runner.mjs")),
    needs=HERE / "javascript" / "node_modules" / "@google" / "genai",
)
GO = Sdk("go", (str(_GO_RUNNER),), needs=_GO_RUNNER, toolchain=("go",))
JAVA = _java("java", "2x")
JAVA_1X = _java("java-1x", "1x")

EVERY_SDK = (PYTHON_NEWEST, PYTHON_NEWEST_ASYNC, PYTHON_2X, PYTHON_2X_ASYNC, JAVASCRIPT, GO, JAVA)
"""For `@pytest.mark.parametrize("sdk", EVERY_SDK, ids=str)`."""
