"""The README's programs run unchanged, except for the address, the key and the waiting.

So do its commands that put the proxy before a fake, the ports excepted.

The programs are written for OpenAI. For Bedrock the Python programs name that provider and its
model instead, and the proxy carries their one request out itself.
"""

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import MODELS, PAUSE_SECONDS, BatchClient, asking, inline
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import BEDROCK, KINDS, OPENAI, FakeClient
from tests.end_to_end.sdk_process import (
    GO,
    HERE,
    JAVA,
    JAVASCRIPT,
    PYTHON_NEWEST,
    Sdk,
    SdkError,
)
from tests.end_to_end.test_bedrock_headers import HEADERS
from tests.processes import Process, free_port
from tests.test_documentation import ROOT, fenced_blocks

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

REQUESTS = b'{"key": "sum", "request": {"contents": [{"parts": [{"text": "What is 2+2?"}]}]}}\n'

# In the order of the document: the client, a batch from a file, one inline, its results, single
# requests, and results in the provider's form.
CLIENT, FROM_FILE, INLINE, RESULTS, SINGLE, NATIVE = range(6)


@pytest.fixture(params=["openai", "bedrock"])
def programs(
    request: pytest.FixtureRequest, openai: FakeClient, bedrock: FakeClient, ferry: Ferry
) -> list[str]:
    """The README's programs, for each provider in turn."""
    if request.param == "openai":
        return replaced({ADDRESS: ferry.base_url, KEY: OPENAI.key, WAIT: "time.sleep(0)"})
    immediate_proxy: Process = request.getfixturevalue("immediate_proxy")
    return replaced(
        {
            ADDRESS: f"{immediate_proxy.url}/genai",
            KEY: BEDROCK.key,
            WAIT: f"time.sleep({PAUSE_SECONDS})",
            PROVIDER: '"x-model-provider": "bedrock"',
            f'model="{MODELS["openai"]}", src=uploaded.name': (
                f'model="{MODELS["bedrock"]}", src=uploaded.name'
            ),
            f'model="{MODELS["openai"]}",\n': f'model="{MODELS["bedrock"]}",\n',
            f'model = "{MODELS["openai"]}"': f'model = "{MODELS["bedrock"]}"',
        }
    )


ADDRESS, KEY = "http://localhost:8080/genai", "the provider's own key"
WAIT, PROVIDER = "time.sleep(10)", '"x-model-provider": "openai"'


def replaced(replacements: Mapping[str, str]) -> list[str]:
    """The README's blocks with replacements; each replaced text must appear exactly once."""
    blocks = fenced_blocks(ROOT / "README.md", "python")
    assert len(blocks) == 6, "there is a program that no test runs"
    text = "\0".join(blocks)
    for written, here in replacements.items():
        assert text.count(written) == 1, written
        text = text.replace(written, here)
    return text.split("\0")


async def test_the_program_with_a_file(programs: list[str], tmp_path: Path) -> None:
    (tmp_path / "requests.jsonl").write_bytes(REQUESTS)

    printed = await run(tmp_path, programs[CLIENT], programs[FROM_FILE], programs[RESULTS])

    assert '{"key":"sum","response":' in printed
    assert "echo: What is 2+2?" in printed


async def test_the_program_with_inline_requests(programs: list[str], tmp_path: Path) -> None:
    printed = await run(tmp_path, programs[CLIENT], programs[INLINE], programs[RESULTS])

    assert printed.splitlines() == ["echo: What is 2+2?"]


async def test_the_program_with_single_requests(programs: list[str], tmp_path: Path) -> None:
    # The fakes' models call a function only when they are told to.
    program = programs[SINGLE].replace("What is the weather", "call the tool: what is the weather")

    answers, counted = (await run(tmp_path, programs[CLIENT], program)).splitlines()

    assert "echo: What is 2+2?" in answers
    assert "It is sunny in" in answers
    assert int(counted) > 0


@pytest.mark.parametrize("source", [FROM_FILE, INLINE], ids=["file", "inline"])
async def test_the_program_for_native_results(
    programs: list[str], tmp_path: Path, source: int
) -> None:
    (tmp_path / "requests.jsonl").write_bytes(REQUESTS)
    used = (CLIENT, source, RESULTS, NATIVE)

    printed = await run(tmp_path, *(programs[number] for number in used))

    (native,) = [json.loads(line) for line in printed.splitlines() if "r0000000000" in line]
    assert {"custom_id", "recordId"} & native.keys()
    assert "echo: What is 2+2?" in json.dumps(native)


# --- in other languages --------------------------------------------------------------------------

GO_PROGRAM = """package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"google.golang.org/genai"
)

func main() {
	ctx := context.Background()
	%s
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Name)
}
"""


JAVA_PROGRAM = """import com.google.genai.Client;
import com.google.genai.types.*;
import java.util.Map;

class Program {
  public static void main(String[] arguments) {
    %s
    System.out.println(job.name().get());
  }
}
"""


def only_program(sdk: Sdk, language: str, ferry: Ferry) -> str:
    """The README's only block in this language, for the proxy and the fake."""
    sdk.require()
    (block,) = fenced_blocks(ROOT / "README.md", language)
    for written, here in ((ADDRESS, ferry.base_url), (KEY, OPENAI.key)):
        assert block.count(written) == 1, written
        block = block.replace(written, here)
    return block


async def require_results(printed: str, ferry: Ferry, http: ClientSession) -> None:
    """Checks that the program's batch ends with the answer to its one request."""
    client = BatchClient(ferry.base_url, OPENAI, http)
    (result,) = await client.results(await client.ended(printed.strip()))
    assert result["key"] == "sum"
    assert "echo: What is 2+2?" in json.dumps(result["response"])


async def test_the_program_in_javascript(
    openai: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    program = only_program(JAVASCRIPT, "js", ferry) + "console.log(job.name);\n"
    (tmp_path / "requests.jsonl").write_bytes(REQUESTS)
    (tmp_path / "program.mjs").write_text(program)
    (tmp_path / "node_modules").symlink_to(HERE / "javascript" / "node_modules")

    printed = await output(tmp_path, "node", "program.mjs")

    await require_results(printed, ferry, http)


async def test_the_program_in_go(
    openai: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    program = GO_PROGRAM % only_program(GO, "go", ferry)
    if shutil.which("go") is None:
        pytest.skip("go: no go on this machine")
    (tmp_path / "requests.jsonl").write_bytes(REQUESTS)
    (tmp_path / "program.go").write_text(program)
    compiled = str(tmp_path / "program")
    await output(HERE / "go", "go", "build", "-o", compiled, f"{compiled}.go")

    printed = await output(tmp_path, compiled)

    await require_results(printed, ferry, http)


async def test_the_program_in_java(
    openai: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    program = JAVA_PROGRAM % only_program(JAVA, "java", ferry)
    (tmp_path / "requests.jsonl").write_bytes(REQUESTS)
    (tmp_path / "Program.java").write_text(program)
    packages = str(HERE / "java" / "target" / "2x" / "dependency" / "*")

    printed = await output(tmp_path, "java", "-cp", packages, "Program.java")

    await require_results(printed, ferry, http)


# --- a place at Bedrock --------------------------------------------------------------------------


async def test_the_headers_for_bedrock_are_the_proxys() -> None:
    """tests/end_to_end/test_bedrock_headers.py sends them."""
    blocks = fenced_blocks(ROOT / "README.md", "")
    (block,) = [block for block in blocks if "http_options" in block]
    assert set(re.findall(r'"(x-[a-z0-9-]+)":', block)) == {"x-model-provider", *HEADERS}


# --- what the SDKs refuse themselves -------------------------------------------------------------


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST, JAVASCRIPT, GO, JAVA], ids=str)
async def test_a_jsonl_file_needs_its_type(sdk: Sdk, tmp_path: Path) -> None:
    """The README's first correction. Nothing listens at the address."""
    path = tmp_path / "requests.jsonl"
    path.write_bytes(REQUESTS)
    async with sdk.start(f"http://127.0.0.1:{free_port()}/genai") as client:
        with pytest.raises(SdkError, match=r"(?i)mime ?type"):
            await client.call("files.upload", path=str(path))


# --- without a key -------------------------------------------------------------------------------


def commands(fake: str) -> list[str]:
    """The commands that start the fake and the proxy."""
    blocks = fenced_blocks(ROOT / "README.md", "")
    (block,) = [block for block in blocks if f"tests.fakes {fake} " in block]
    return block.replace("\\\n", " ").splitlines()


def settings_and_arguments(command: str) -> tuple[dict[str, str], list[str]]:
    """Splits a shell line into its settings and its command."""
    words = shlex.split(command)
    settings = dict(word.split("=", 1) for word in words if word.startswith("FERRY_"))
    return settings, words[len(settings) :]


async def started(command: str, ready: str, more: Mapping[str, str]) -> Process:
    settings, (program, *arguments) = settings_and_arguments(command)
    return await Process.start(
        *arguments, env={**settings, **more}, ready=ready, program=str(ROOT / program)
    )


NO_PATH = ("gemini", "anthropic")


def commands_for(fake: str) -> str:
    """The commands for this fake: the page's own, or OpenAI's with another name and address."""
    if fake == "bedrock":
        return "\n".join(commands(fake))
    text = "\n".join(commands("openai")).replace("OPENAI", fake.upper()).replace("openai", fake)
    return text.replace("/v1", "") if fake in NO_PATH else text


@pytest.mark.parametrize(
    ("fake", "key"),
    [
        ("openai", "sk-anything"),
        ("gemini", "AIzaAnything"),
        ("anthropic", "sk-ant-api-anything"),
        ("mistral", "any32LettersAndDigits00000000000"),
        ("bedrock", BEDROCK.key),
    ],
    ids=["openai", "gemini", "anthropic", "mistral", "bedrock"],
)
async def test_the_commands_without_a_key(
    fake: str, key: str, http: ClientSession, tmp_path: Path
) -> None:
    text = commands_for(fake)
    for port in re.findall(r"--(?:s3-)?port (\d+)", text):
        text = text.replace(port, str(free_port()))
    serve_fake, serve = text.splitlines()
    own = {"FERRY_PORT": "0", "FERRY_STATE_URL": tmp_path.as_uri()}
    async with AsyncExitStack() as stack:
        upstream = await started(serve_fake, "fake", {})
        stack.push_async_callback(upstream.stop)
        proxy = await started(serve, "url", own)
        stack.push_async_callback(proxy.stop)
        client = BatchClient(f"{proxy.url}/genai", KINDS[fake], http)
        path = f"v1beta/models/{client.model}:batchGenerateContent"
        body = {"batch": {"inputConfig": inline({"request": asking("hello")})}}
        name = (await client.call("POST", path, body, key=key)).ok["name"]
        assert name.startswith("batches/")
        assert upstream.ready.get("api_key", key) == key, "it says which"


async def run(folder: Path, *blocks: str) -> str:
    """Runs these blocks as one program; returns its output. Warnings are errors, as in tests."""
    return await output(folder, sys.executable, "-W", "error", "-c", "\n".join(blocks))


async def output(folder: Path, *command: str) -> str:
    """Runs the command in `folder`, which must succeed; returns its output."""
    foreign = ("FERRY_", "GEMINI_", "GOOGLE_")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()
