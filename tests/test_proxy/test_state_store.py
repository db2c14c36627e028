"""The program with its state in a bucket."""

import asyncio
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from proxy.command_line import OK, check
from proxy.directory_trial import DirectoryProblem
from proxy.outbound import OutboundClient
from proxy.settings import Settings
from proxy.state_bucket import BucketState
from proxy.state_directory import DirectoryState
from proxy.state_store import open_spool_of, opening, state_store
from tests.buckets import FakeS3, new_prefix
from tests.fakes.s3 import BUCKET, OVERWRITING_BUCKET
from tests.processes import clean_environment
from tests.test_proxy.certificates import certificate
from tests.test_proxy.ferry_process import ferry_process
from tests.test_proxy.network import ForwardProxy, forward_proxy, tls_endpoint

CHECK = ("-m", "proxy", "check")
SERVE = ("-m", "proxy", "serve")


def on_bucket(s3: FakeS3, bucket: str = BUCKET) -> dict[str, str]:
    return {
        **s3.settings(new_prefix(), bucket),
        "FERRY_PORT": "0",
        "FERRY_SECRET_KEY": "a-secret-key-of-32-characters-...",
    }


async def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**clean_environment(), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return await process.wait(), output.decode(), errors.decode()


async def test_the_scheme_chooses_the_store(tmp_path: Path, client: OutboundClient) -> None:
    directory = Settings(state_url=tmp_path.as_uri())
    assert isinstance(state_store(directory, client), DirectoryState)
    assert isinstance(state_store(Settings(state_url="s3://bucket/p"), client), BucketState)


async def test_only_a_directory_has_spools(tmp_path: Path, client: OutboundClient) -> None:
    for url, kept in ((tmp_path.as_uri(), True), ("s3://bucket/p", False)):
        async with open_spool_of(state_store(Settings(state_url=url), client))() as spool:
            assert await spool.write(b"piece") == kept


async def test_a_disk_that_hangs_delays_neither_start_nor_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def hang(*_: object) -> None:
        goes_on.wait()

    monkeypatch.setattr("proxy.state_directory.remove_leftovers", hang)
    monkeypatch.setattr("proxy.state_store.STOP_SECONDS", 0.05)
    app = web.Application()
    app.cleanup_ctx.append(opening(DirectoryState(tmp_path)))
    runner = web.AppRunner(app)
    try:
        async with asyncio.timeout(10):
            await runner.setup()
            await runner.cleanup()
    finally:
        goes_on.set()


async def test_a_disk_that_is_full_at_the_start_only_degrades_the_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"the directory {tmp_path} cannot be created or written: No space left on device"
    full = DirectoryProblem(text, temporary=True)
    monkeypatch.setattr("proxy.state_store.try_in_time", lambda *_: full)
    assert check(Settings(state_url=tmp_path.as_uri())) == OK
    assert f"risk: FERRY_STATE_URL: {text}.\n" in capsys.readouterr().out


# --- check -----------------------------------------------------------------------------------


async def test_check_tries_the_bucket(s3: FakeS3) -> None:
    settings = on_bucket(s3)
    code, output, errors = await run(*CHECK, **settings)
    assert (code, errors) == (0, "")
    assert "risk: " not in output
    assert f"FERRY_STATE_S3_ENDPOINT_URL={s3.url}\n" in output
    prefix = settings["FERRY_STATE_URL"].removeprefix("s3:/")
    tried = [(r["method"], r["status"]) for r in await s3.requests(prefix)]
    assert [t for t in tried if t[0] == "PUT"] == [("PUT", 200), ("PUT", 412)]


@pytest.mark.parametrize(
    ("bucket", "reason"),
    [(OVERWRITING_BUCKET, "it ignores If-None-Match"), ("no-such-bucket", "NoSuchBucket")],
)
@pytest.mark.parametrize("command", [CHECK, SERVE])
async def test_an_unusable_bucket_ends_the_start(
    s3: FakeS3, bucket: str, reason: str, command: tuple[str, ...]
) -> None:
    code, _, errors = await run(*command, **on_bucket(s3, bucket))
    assert code == 1
    assert f"the bucket cannot keep the state: {reason}" in errors
    assert "Traceback" not in errors


async def test_check_reports_an_unreachable_bucket(s3: FakeS3) -> None:
    settings = on_bucket(s3)
    prefix = settings["FERRY_STATE_URL"].removeprefix("s3:/")
    await s3.arm({"path": prefix, "times": 20}, "status", body="away")
    code, output, _ = await run(*CHECK, **settings)
    await s3.post("reset", {})
    assert code == 0
    assert "risk: FERRY_STATE_URL: the state store refused: 503.\n" in output


# --- serve -----------------------------------------------------------------------------------


async def readiness(url: str) -> tuple[int, Mapping[str, str]]:
    async with ClientSession() as session, session.get(f"{url}/readyz") as ready:
        return ready.status, await ready.json()


async def test_it_serves_on_a_bucket(s3: FakeS3) -> None:
    async with ferry_process(*SERVE, environment=on_bucket(s3)) as process:
        url = (await process.event("listening"))["url"]
        assert await readiness(url) == (200, {"status": "serving", "state": "ok"})


async def test_an_unreachable_bucket_only_degrades_the_proxy(s3: FakeS3) -> None:
    settings = on_bucket(s3)
    prefix = settings["FERRY_STATE_URL"].removeprefix("s3:/")
    await s3.arm({"path": prefix, "times": 1000}, "status", body="away")
    async with ferry_process(*SERVE, environment=settings) as process:
        url = (await process.event("listening"))["url"]
        status, told = await readiness(url)
        assert (status, told["status"]) == (200, "serving")
        assert told["state"].startswith("degraded: ")
        await s3.post("reset", {})
        async with asyncio.timeout(10):
            while (await readiness(url))[1]["state"] != "ok":
                pass


# --- https -----------------------------------------------------------------------------------


async def test_https_behaves_like_http(s3: FakeS3, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    async with tls_endpoint(URL(s3.url), path) as endpoint:
        settings = {**on_bucket(s3), "FERRY_STATE_S3_ENDPOINT_URL": str(endpoint)}
        for trusting in ("SSL_CERT_FILE", "FERRY_UPSTREAM_CA_BUNDLE"):
            code, output, errors = await run(*CHECK, **settings, **{trusting: str(path)})
            assert (code, errors) == (0, "")
            assert "risk: " not in output
        untrusting = await run(*CHECK, **settings)
        assert "risk: FERRY_STATE_URL: the certificate of 127.0.0.1 is not trusted" in untrusting[1]


async def test_a_bucket_is_reached_through_a_forward_proxy(s3: FakeS3, tmp_path: Path) -> None:
    path = certificate(tmp_path, host="s3.example")
    async with tls_endpoint(URL(s3.url), path) as there:
        proxy = ForwardProxy({"s3.example:443": there})
        async with forward_proxy(proxy) as url:
            settings = {
                **on_bucket(s3),
                "FERRY_STATE_S3_ENDPOINT_URL": "https://s3.example",
                "FERRY_UPSTREAM_CA_BUNDLE": str(path),
                "HTTPS_PROXY": str(url),
            }
            code, output, errors = await run(*CHECK, **settings)
            assert (code, errors) == (0, "")
            assert "risk: " not in output
            assert set(proxy.targets) == {"s3.example:443"}
            environment = {**settings, "FERRY_PORT": "0"}
            async with ferry_process(*SERVE, environment=environment) as process:
                main = (await process.event("listening"))["url"]
                assert await readiness(main) == (200, {"status": "serving", "state": "ok"})
            exempt = await run(*CHECK, **settings, NO_PROXY=".example")
            assert "s3.example does not exist" in exempt[1]
