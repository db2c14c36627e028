"""The command line as users call it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from aiohttp import ClientConnectorError, ClientResponse, ClientSession

from proxy.command_line import main
from proxy.version import version as ferry_version
from tests.lost_directory import lost
from tests.processes import clean_environment, free_port
from tests.test_documentation import ROOT
from tests.test_proxy.ferry_process import SECRET, ferry, ferry_process


@pytest.mark.parametrize("command", ["check", "serve"])
def test_the_proxys_own_key_is_not_for_everyone(command: str) -> None:
    done = ferry(
        command,
        FERRY_HOST="0.0.0.0",
        FERRY_PROVIDERS__OPENAI__CREDENTIALS="ambient",
        FERRY_PROVIDERS__OPENAI__API_KEY=SECRET,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("genai-ferry: FERRY_CLIENT_TOKENS: must be set if ")
    assert SECRET not in done.stderr


@pytest.mark.parametrize("command", [["check"], ["serve"], []])
def test_invalid_settings_end_it_with_a_sentence_each(command: list[str]) -> None:
    done = ferry(*command, FERRY_SECRET_KEY="short", FERRY_PORT="x")
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("genai-ferry: FERRY_PORT: ")
    assert second == "genai-ferry: FERRY_SECRET_KEY: each key must have at least 16 characters"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_starts(number: int) -> None:
    """With a handler of its own: process 1 of a container gets no other signals."""
    script = f"""
import os, sys
from proxy.__main__ import main

class SignalDuringImport:
    def find_spec(self, name, *_):
        if name == "proxy.composition":
            os.kill(os.getpid(), {number:d})

sys.meta_path.insert(0, SignalDuringImport())
main()
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (128 + number, "")


def test_the_installed_command_starts_there_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"genai-ferry": "proxy.__main__:main"}


def test_it_prints_its_version() -> None:
    done = ferry("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"genai-ferry {version('genai-ferry')}\n"


def test_a_checkout_that_is_not_installed_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_installed(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("proxy.command_line.version", ferry_version.__wrapped__)
    monkeypatch.setattr("proxy.version.metadata.version", not_installed)
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("genai-ferry (unknown version: ")


@pytest.mark.parametrize("argument", ["check", "--help", "--version"])
def test_output_into_a_closed_pipe_ends_quietly(argument: str) -> None:
    """Like a pipe to `head`, which ends early: a shell reports 141 for that."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", argument],
            env={**clean_environment(), "PYTHONUNBUFFERED": ""},
            stdout=write_end,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize(
    ("argument", "unbuffered"), [("check", ""), ("check", "1"), ("--version", "")]
)
def test_output_onto_a_full_disk_is_one_sentence(argument: str, unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", argument],
            env={**clean_environment(), "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    said = "genai-ferry: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


async def test_a_closed_log_does_not_stop_the_proxy(tmp_path: Path) -> None:
    port = free_port()
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "proxy",
        env={
            **clean_environment(),
            "FERRY_PORT": str(port),
            "FERRY_STATE_URL": tmp_path.as_uri(),
        },
        stderr=write_end,
    )
    os.close(write_end)
    try:
        async with ClientSession() as session:
            async with await first_answer(session, f"http://127.0.0.1:{port}/genai/v1/x") as answer:
                assert answer.status == 401
            async with session.get(f"http://127.0.0.1:{port}/healthz") as alive:
                assert alive.status == 200
    finally:
        process.terminate()
        assert await process.wait() == 0


async def first_answer(session: ClientSession, url: str) -> ClientResponse:
    """Nothing reads its log, so it is polled until it answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await session.get(url)
            except ClientConnectorError:
                await asyncio.sleep(0.05)


async def test_probable_mistakes_are_logged_at_the_start(tmp_path: Path) -> None:
    settings = {
        "FERRY_PORT": "tcp://10.0.0.1:80",
        "FERRY_STATE_URL": tmp_path.as_uri(),
        "FERRY_PROVIDERS__MY_VLLM__KIND": "openai",
    }
    config = tmp_path / "ferry.toml"
    config.write_text("port = 0")
    told = "FERRY_PROVIDERS__MY_VLLM__BASE_URL is not set: requests for my-vllm go to "
    async with ferry_process(
        "-m", "proxy", "--config", str(config), environment=settings
    ) as process:
        injected = await process.event(
            "FERRY_PORT: ignored, as Kubernetes injects such variables for Services whose names "
            "begin with ferry."
        )
        assert injected["level"] == "warning"
        await process.event(f"{told}https://api.openai.com/v1.")
        await process.event("listening")


@pytest.mark.parametrize("command", [["check"], ["serve"]])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_state_directory_that_cannot_be_created_is_one_sentence(
    tmp_path: Path, command: list[str], workers: str
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    done = ferry(
        *command,
        FERRY_PORT="0",
        FERRY_SECRET_KEY=SECRET,
        FERRY_STATE_URL=link.as_uri(),
        FERRY_WORKERS=workers,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert (
        f"FERRY_STATE_URL: the directory {link} cannot be created or written: "
        f"the link {link} points to nothing" in line
    )


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("nowhere.invalid", "the name does not resolve to an address: "),
        ("a..b", "must be an IP address or a host name"),
    ],
)
def test_a_host_that_does_not_resolve_is_named(
    tmp_path: Path, command: str, workers: str, host: str, reason: str
) -> None:
    settings = {"FERRY_HOST": host, "FERRY_WORKERS": workers, "FERRY_SECRET_KEY": SECRET}
    done = ferry(command, FERRY_PORT="0", FERRY_STATE_URL=tmp_path.as_uri(), **settings)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"FERRY_HOST: {reason}" in line


async def test_a_directory_that_is_lost_while_it_serves_is_no_providers_fault(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    settings = {"FERRY_PORT": "0", "FERRY_STATE_URL": state.as_uri()}
    start = {
        "x-model-provider": "anthropic",
        "x-goog-api-key": "sk-ant-api03-key",
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "1",
    }
    async with ferry_process("-m", "proxy", environment=settings) as process:
        url = (await process.event("listening"))["url"]
        upload = f"{url}/genai/upload/v1beta/files"
        async with ClientSession(headers=start) as session:
            with lost(state):
                reply = await session.post(upload, json={})
            error = (await reply.json())["error"]
        assert error == {
            "code": 400,
            "status": "FAILED_PRECONDITION",
            "message": "the proxy's state store failed: Not a directory; the operator must fix the "
            "store that FERRY_STATE_URL names",
        }
        assert reply.headers["X-Goog-Upload-Status"] == "final"


@pytest.mark.parametrize("taken", ["FERRY_PORT", "FERRY_ADMIN_PORT"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_ends_the_start(tmp_path: Path, workers: str, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        settings = {"FERRY_PORT": "0", "FERRY_STATE_URL": tmp_path.as_uri(), taken: port}
        done = ferry(FERRY_WORKERS=workers, **settings)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines if line["level"] == "error"] == ["cannot start"]
    assert f"('127.0.0.1', {port})" in lines[-1]["reason"]


@pytest.mark.parametrize(("key", "warned"), [({}, True), ({"FERRY_SECRET_KEY": SECRET}, False)])
async def test_it_serves_and_warns_of_a_random_key(
    tmp_path: Path, key: Mapping[str, str], warned: bool
) -> None:
    settings = {"FERRY_PORT": "0", "FERRY_STATE_URL": tmp_path.as_uri(), **key}
    warning = "FERRY_SECRET_KEY is not set: upload URLs expire with this process"
    async with ferry_process("-m", "proxy", environment=settings) as process:
        if warned:
            assert (await process.event(warning))["level"] == "warning"
        url = (await process.event("listening"))["url"]
        async with ClientSession() as session, session.get(f"{url}/readyz") as ready:
            assert (await ready.json()) == {"status": "serving", "state": "ok"}
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0
