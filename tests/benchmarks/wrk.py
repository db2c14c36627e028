"""Runs wrk (https://github.com/wg/wrk), which loads a server over many connections."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SCRIPT: Final = """
local asked = %s
wrk.method, wrk.body = asked.method, asked.body
for name, value in pairs(asked.headers) do wrk.headers[name] = value end

counts, unnamed = {}, 0
threads = {}
function setup(thread) table.insert(threads, thread) end
function delay() return asked.pause end
function response(status, headers, body)
  counts[status] = (counts[status] or 0) + 1
  if status == 429 or status == 503 then
    local named = false
    for name in pairs(headers) do named = named or name:lower() == "retry-after" end
    if not named then unnamed = unnamed + 1 end
  end
end
function done(summary, latency, requests)
  local parts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("counts")) do
      table.insert(parts, string.format('"%%d": %%d', status, count))
    end
  end
  io.write(string.format('{"statuses": {%%s}, "unnamed": %%d, "median": %%f, "p99": %%f}\\n',
    table.concat(parts, ", "), threads[1]:get("unnamed"),
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


@dataclass(frozen=True)
class Load:
    """Every connection of it sends a request after the other, `pause` milliseconds apart."""

    connections: int
    url: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: str = ""
    pause: int = 0


@dataclass(frozen=True)
class Measured:
    """The latencies are in seconds; `unnamed` counts refusals without `Retry-After`."""

    statuses: Mapping[int, int]
    unnamed: int
    median: float
    p99: float

    def refused(self) -> int:
        return sum(self.statuses.get(status, 0) for status in (429, 503))


async def run(load: Load, seconds: int) -> Measured:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT % _lua(load))
        script.flush()
        process = await asyncio.create_subprocess_exec(
            "wrk",
            *("--threads", "1", "--connections", str(load.connections)),
            *("--duration", f"{seconds}s", "--timeout", "60s"),
            *("--script", str(Path(script.name)), load.url),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    document: dict[str, Any] = json.loads(output.decode().splitlines()[-1])
    statuses = {int(status): count for status, count in document.pop("statuses").items()}
    return Measured(statuses, **document)


def _lua(load: Load) -> str:
    headers = ", ".join(f"[{json.dumps(n)}] = {json.dumps(v)}" for n, v in load.headers.items())
    body = json.dumps(load.body) if load.body else "nil"
    return (
        f"{{method = {json.dumps(load.method)}, body = {body}, pause = {load.pause}, "
        f"headers = {{{headers}}}}}"
    )
