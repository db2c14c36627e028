"""The README's programs run as they stand, the address, the key and the waiting excepted."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.test_documentation import ROOT, fenced_blocks

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

REQUESTS = b'{"key": "sum", "request": {"contents": [{"parts": [{"text": "What is 2+2?"}]}]}}\n'

# In the order of the document: the client, a batch from a file, one inline, and the results.
CLIENT, FROM_FILE, INLINE, RESULTS = range(4)


@pytest.fixture
def programs(openai: FakeClient, ferry: Ferry) -> list[str]:
    """The README's blocks; what a test must replace in them stands there exactly once."""
    blocks = fenced_blocks(ROOT / "README.md", "python")
    assert len(blocks) == 4, "there is a program that no test runs"
    text = "\0".join(blocks)
    for written, here in (
        ("http://localhost:8080/genai", ferry.base_url),
        ("the provider's own key", openai.kind.key),
        ("time.sleep(10)", "time.sleep(0)"),
    ):
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


async def run(folder: Path, *blocks: str) -> str:
    """What the program of these blocks prints; a warning in it is an error, as in tests."""
    foreign = ("FERRY_", "GEMINI_", "GOOGLE_")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        "\n".join(blocks),
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()
