"""The image: what its Dockerfile says, and what its steps make, without a container engine."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from aiohttp import ClientSession
from google import genai
from google.genai import types
from packaging.utils import canonicalize_name

from tests.processes import Process, fake, free_port, upstream_settings
from tests.test_deploy.dockerfile import DOCKERFILE, stages
from tests.test_deploy.image import Image, built
from tests.test_packaging import RUNTIME_LOCK, pinned, project

DIGEST = "sha256:" + "0" * 64
VOLUME = "/var/lib/genai-ferry"


def test_hadolint_finds_nothing() -> None:
    path = shutil.which("hadolint", path=f"{Path(sys.executable).parent}") or "hadolint"
    done = subprocess.run([path, str(DOCKERFILE)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


# --- the Dockerfile --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"RELEASE": "true", "BASE_DIGEST": ""}, "set the build argument BASE_DIGEST"),
        ({"RELEASE": "true", "BASE_DIGEST": DIGEST}, None),
        ({"RELEASE": "false", "BASE_DIGEST": ""}, None),
    ],
)
def test_a_release_stops_without_a_digest(arguments: dict[str, str], message: str | None) -> None:
    first = next(each for each in stages()[0].instructions if each.name == "RUN")
    done = subprocess.run(
        ["/bin/sh", "-c", first.text], env=arguments, capture_output=True, text=True, check=False
    )

    assert (done.returncode != 0) is (message is not None)
    assert (message or "") in done.stderr


def test_every_stage_starts_from_the_base_image_by_its_digest() -> None:
    with_digest = {stage.name: stage.base for stage in stages({"BASE_DIGEST": DIGEST})}
    without = {stage.name: stage.base for stage in stages()}

    assert with_digest == {
        "install": f"python:3.13-slim@{DIGEST}",
        "demo": "install",
        "genai-ferry": f"python:3.13-slim@{DIGEST}",
    }
    assert set(without.values()) == {"python:3.13-slim", "install"}
    assert "sha256:" not in DOCKERFILE.read_text().replace("sha256:…", "")


def test_the_image_says_how_it_runs() -> None:
    last = stages()[-1]

    assert last.the("USER").text == "10001:10001"
    assert last.the("STOPSIGNAL").text == "SIGTERM"
    assert last.the("ENTRYPOINT").words == ["genai-ferry"]
    assert last.the("VOLUME").text == VOLUME


def test_the_labels_are_those_of_oci() -> None:
    labels = stages()[-1].the("LABEL").pairs
    names = {name.removeprefix("org.opencontainers.image.") for name in labels}

    assert names == {
        "title",
        "description",
        "licenses",
        "version",
        "revision",
        "source",
        "base.name",
        "base.digest",
    }
    assert labels["org.opencontainers.image.licenses"] == project()["license"]


# --- its steps -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with built(tmp_path_factory.mktemp("image"), {}) as image:
        yield image


def test_the_program_is_installed(image: Image) -> None:
    done = image.run(*image.stage.the("ENTRYPOINT").words, "--version")

    assert done.stdout == f"genai-ferry {project()['version']}\n", done.stderr


def test_a_start_compiles_nothing(image: Image) -> None:
    uncompiled = (
        "import os, sys, proxy.command_line as _; "
        "files = [getattr(each, '__cached__', None) for each in sys.modules.values()]; "
        "print(len(files), [file for file in files if file and not os.path.exists(file)])"
    )
    count, _, missing = image.run("python", "-c", uncompiled).stdout.partition(" ")

    assert int(count) > 500
    assert missing == "[]\n"


@pytest.mark.parametrize("module", ["pip", "setuptools", "wheel"])
@pytest.mark.parametrize("python", ["/usr/local/bin/python", "/opt/genai-ferry/bin/python"])
def test_it_has_no_build_tools(python: str, module: str, image: Image) -> None:
    done = image.run(python, "-c", f"import {module}")

    assert f"No module named '{module}'" in done.stderr


def test_it_has_only_what_the_lock_names(image: Image) -> None:
    names = "from importlib.metadata import distributions as d; print(*(i.name for i in d()))"
    done = image.run("python", "-c", names)

    installed = {canonicalize_name(name) for name in done.stdout.split()}
    assert installed <= {"genai-ferry", *pinned(RUNTIME_LOCK)}
    assert {"genai-ferry", "aiohttp"} <= installed


def test_only_the_state_directory_can_be_written(image: Image) -> None:
    find = "find / -path /proc -prune -o -path /dev -prune -o -writable -not -type l -print -prune"
    done = image.run("/bin/sh", "-c", find)

    assert done.stdout.splitlines() == [VOLUME]


def test_it_runs_as_an_unprivileged_user(image: Image) -> None:
    status = image.run("/bin/cat", "/proc/self/status").stdout
    values = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)

    assert values["Uid"].split() == ["10001"] * 4
    assert values["Gid"].split() == ["10001"] * 4
    assert values["Groups"].split() == ["10001"]
    assert int(values["CapEff"], 16) == 0
    assert values["NoNewPrivs"] == "1"


def test_it_can_trace(image: Image) -> None:
    done = image.run("python", "-c", "import proxy.opentelemetry_tracing")

    assert done.returncode == 0, done.stderr


async def test_it_serves_from_a_read_only_root(image: Image) -> None:
    """An upload that the proxy keeps itself comes back, so the state directory is used."""
    port, admin_port = free_port(), free_port()
    async with fake("anthropic") as anthropic:
        settings = {
            f"FERRY_PROVIDERS__ANTHROPIC__{name}": value
            for name, value in upstream_settings(anthropic).items()
        }
        command = image.command(
            *image.stage.the("ENTRYPOINT").words,
            FERRY_PORT=str(port),
            FERRY_ADMIN_PORT=str(admin_port),
            **settings,
        )
        process = await Process.start(*command[1:], program=command[0], env={}, ready="url")
        try:
            assert await _health_check(image, admin_port) == 0
            assert await _ready(admin_port) == {"status": "serving", "state": "ok"}
            await asyncio.to_thread(_upload_and_delete, f"http://127.0.0.1:{port}/genai")
        finally:
            code = await process.stop()
    assert code == 0
    assert await _health_check(image, admin_port) != 0


def test_it_needs_no_init_as_process_1(image: Image) -> None:
    """SIGTERM reaches it and its workers, and it leaves none of them behind."""
    program = image.stage.the("ENTRYPOINT").words
    settings = {"FERRY_PORT": "0", "FERRY_ADMIN_PORT": "0", "FERRY_WORKERS": "2"}
    command = ["unshare", "--pid", "--fork", "--kill-child", *image.command(*program, **settings)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        try:
            assert process.stdout is not None
            serving = (line for line in process.stdout if '"url"' in line)
            assert len(list(islice(serving, 2))) == 2
        finally:
            os.kill(_only_child(process.pid), signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def _only_child(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


async def _health_check(image: Image, admin_port: int) -> int:
    """The exit code of HEALTHCHECK's command."""
    words = image.stage.the("HEALTHCHECK").text.partition(" CMD ")[2]
    # The settings of a forward proxy, which nothing serves, are not for this call.
    environment = {"FERRY_ADMIN_PORT": str(admin_port), "HTTP_PROXY": "http://127.0.0.1:9"}
    done = await asyncio.to_thread(image.run, *json.loads(words), **environment)
    return done.returncode


async def _ready(admin_port: int) -> object:
    async with ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{admin_port}/readyz") as answer:
            return await answer.json()


def _upload_and_delete(base_url: str) -> None:
    client = genai.Client(
        api_key="sk-ant-api-image",
        http_options=types.HttpOptions(
            base_url=base_url, headers={"x-model-provider": "anthropic"}
        ),
    )
    with client:
        config = types.UploadFileConfig(mime_type="application/jsonl")
        uploaded = client.files.upload(file=DOCKERFILE, config=config)
        assert client.files.download(file=uploaded) == DOCKERFILE.read_bytes()
        client.files.delete(name=str(uploaded.name))
