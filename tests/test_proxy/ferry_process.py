"""A process of the proxy, which tests start, read and signal."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.processes import clean_environment

SECRET = "a-secret-key-of-32-characters-..."


def ferry(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "proxy", *arguments],
        env=clean_environment() | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class FerryProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def event(self, name: str) -> dict[str, Any]:
        """The next log line with the event `name`."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            document: dict[str, Any] = json.loads(line)
            if document["event"] == name:
                return document
        raise AssertionError(f"it ended without {name}")

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def exit_code(self) -> int:
        return await self._process.wait()


@asynccontextmanager
async def ferry_process(
    *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[FerryProcess]:
    """Runs Python with `arguments` until the block ends, with only the given settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**clean_environment(), **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield FerryProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        assert process.stderr is not None
        await process.stderr.read()  # ends with the last of its children
        await process.wait()
