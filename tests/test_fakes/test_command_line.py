import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "base"),
    [("gemini", ""), ("openai", "/v1"), ("mistral", "/v1"), ("anthropic", ""), ("bedrock", "")],
)
def test_a_fake_serves_as_a_process_and_ends_on_a_signal(name: str, base: str) -> None:
    command = [sys.executable, "-m", "tests.fakes", name, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline())
        assert printed["fake"] == name
        assert printed["url"] == printed["control"] + base
        with urllib.request.urlopen(printed["control"] + "/_fake/objects") as answer:  # noqa: S310
            assert json.load(answer)["files"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
