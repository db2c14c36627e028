"""Carries out deploy/Dockerfile's steps without a container engine, in a mount namespace.

A root has what the base image would give: this machine's `/usr` and `/etc`, read-only, and a
copy-on-write view of this Python as `/usr/local`. The network is this machine's.
"""

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

from tests.test_deploy.dockerfile import Instruction, Stage, expand, stages
from tests.test_documentation import ROOT

BUILD_SECONDS: Final = 300.0
BASE_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

# How this machine reaches its package registry.
_PASSED: Final = ("PIP_*", "*_PROXY", "*_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_PREPARE: Final = """
set -euo pipefail
umask 022
mount -t tmpfs -o mode=755 none {work}

# A root with what a base image has.
new_root() {{
    mkdir -p "$1"/usr "$1"/etc "$1"/dev "$1"/proc "$1{python}" "$1.upper" "$1.work"
    for name in bin sbin lib lib64; do
        if [ -L "/$name" ]; then cp -P "/$name" "$1/$name"; fi
    done
    for name in usr etc; do
        mount --bind "/$name" "$1/$name"
        mount -o remount,bind,ro "$1/$name"
    done
    for name in null random urandom; do
        touch "$1/dev/$name"
        mount --bind "/dev/$name" "$1/dev/$name"
    done
    mount --bind /proc "$1/proc"
    mount -t overlay none -o "lowerdir={python},upperdir=$1.upper,workdir=$1.work" "$1{python}"
    # The base image has no compiled code.
    find "$1{python}" -name '*.pyc' -delete
    mount --bind "$1{python}" "$1/usr/local"
}}
"""

_FINISH: Final = """
mkdir {image}
mount --rbind {root} {image}
for name in / /usr/local {python}; do mount -o remount,bind,ro "{image}$name"; done
mount --bind {root}{volume} {image}{volume}
echo built
read -r _ || true
"""


@dataclass(frozen=True)
class Image:
    """The last stage, mounted read-only but for its volume."""

    stage: Stage
    root: Path
    environment: Mapping[str, str]
    builder: int

    def command(self, *arguments: str, **environment: str) -> list[str]:
        """The command that runs `arguments` in the image, as its user without any privilege."""
        user = self.stage.the("USER").text
        variables = {**self.environment, **environment}
        return [
            *("nsenter", f"--mount=/proc/{self.builder}/ns/mnt"),
            *("chroot", f"--userspec={user}", f"--groups={user.split(':')[1]}", str(self.root)),
            *("/usr/bin/setpriv", "--no-new-privs"),
            *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())),
            *arguments,
        ]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments, **environment)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def built(work: Path, arguments: Mapping[str, str]) -> Iterator[Image]:
    """`work` is an empty directory."""
    _require_namespaces()
    context = work / "context"
    _copy_context(context)
    roots = work / "roots"
    roots.mkdir()
    python = sys.base_prefix
    script = [_PREPARE.format(work=roots, python=python)]
    found = [stage for stage in stages(arguments) if stage.name != "demo"]
    environment: dict[str, str] = {}
    for stage in found:
        environment = dict(BASE_ENVIRONMENT)
        script += _steps(stage, roots, context, arguments, environment)
    last = found[-1]
    image = roots / "image"
    volume = last.the("VOLUME").text
    root = roots / last.name
    script.append(_FINISH.format(image=image, root=root, python=python, volume=volume))
    process = subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", "\n".join(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        _wait_until_built(process)
        try:
            yield Image(last, image, environment, process.pid)
        finally:
            process.communicate("done\n")


def _wait_until_built(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    deadline = threading.Timer(BUILD_SECONDS, process.kill)
    deadline.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "built\n":
            deadline.cancel()
            return
    deadline.cancel()
    pytest.fail("the image was not built:\n" + "".join(lines))


def _steps(
    stage: Stage,
    roots: Path,
    context: Path,
    arguments: Mapping[str, str],
    environment: dict[str, str],
) -> Iterator[str]:
    """The commands of one stage. Fills `environment` with what its ENV instructions set."""
    root = roots / stage.name
    folder = "/"
    given: dict[str, str] = {}
    yield f"new_root {root}"
    for instruction in stage.instructions:
        match instruction.name:
            case "ARG":
                name, _, default = instruction.text.partition("=")
                given[name] = arguments.get(name, default)
            case "ENV":
                for name, value in instruction.pairs.items():
                    environment[name] = expand(value, environment)
            case "WORKDIR":
                folder = instruction.text
                yield f"mkdir -p {root}{folder}"
            case "COPY":
                yield _copy(instruction, root, folder, roots, context)
            case "RUN":
                yield _run(instruction.text, root, folder, {**_passed(), **given, **environment})
            case (
                "USER" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "LABEL"
            ):
                pass  # they do not change the image's files
            case unknown:
                raise AssertionError(f"{unknown} is not known here")


def _copy(instruction: Instruction, root: Path, folder: str, roots: Path, context: Path) -> str:
    *sources, target = instruction.text.split()
    start = context
    if sources[0].startswith("--from="):
        start = roots / sources.pop(0).removeprefix("--from=")
    destination = f"{root}{Path(folder, target)}"
    paths = [f"{start}/{source.lstrip('/')}" for source in sources]
    if len(paths) == 1 and not target.endswith("/"):
        # A directory's content goes into the target, as with COPY.
        parent = Path(destination).parent
        return f"mkdir -p {parent}; cp -a --no-target-directory {paths[0]} {destination}"
    return f"cp -a {' '.join(paths)} {destination}"


def _run(text: str, root: Path, folder: str, environment: Mapping[str, str]) -> str:
    variables = [shlex.quote(f"{name}={value}") for name, value in environment.items()]
    command = shlex.quote(f"cd {folder}; {text}")
    return f"chroot {root} /usr/bin/env -i {' '.join(variables)} /bin/sh -euc {command}"


def _passed() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if any(fnmatch(name, pattern) for pattern in _PASSED)
    }


def _copy_context(context: Path) -> None:
    """What .dockerignore lets through: it excludes everything, and then names what is needed."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    everything, *rules = [line for line in lines if line and not line.startswith("#")]
    assert everything == "*"
    kept = [line.removeprefix("!") for line in rules if line.startswith("!")]
    ignored = [Path(line).name for line in rules if not line.startswith("!")]
    for name in kept:
        source, target = ROOT / name, context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*ignored))
        else:
            shutil.copy(source, target)


def _require_namespaces() -> None:
    """Without root or with the system's own Python tests are skipped; in CI as root they fail."""
    if os.geteuid() != 0:
        pytest.skip("the image's steps need root, for a mount namespace")
    if sys.base_prefix == "/usr":
        pytest.skip("the image's steps need a Python that is not the system's own")
    command = ["unshare", "--mount", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"no mount namespace can be made: {tried.stderr}")
    pytest.skip(f"no mount namespace can be made: {tried.stderr}")
