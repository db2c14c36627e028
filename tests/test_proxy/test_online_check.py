"""`genai-ferry check --online`, against the fakes on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from proxy.kinds import KINDS
from proxy.online_check import Outcome, try_online
from proxy.settings import load
from tests.buckets import FakeS3, aws_environment, new_prefix
from tests.fakes.anthropic import anthropic_app
from tests.fakes.bedrock import REGION, ROLE_ARN, serving_bedrock
from tests.fakes.gemini import gemini_app
from tests.fakes.mistral import mistral_app
from tests.fakes.openai import openai_app
from tests.fakes.s3 import FILES_BUCKET
from tests.test_proxy.ferry_process import ferry
from tests.test_proxy.raw_upstream import answer_once, raw_upstream

KEYS = {
    "gemini": "AIza-own-secret",
    "openai": "sk-own-secret",
    "anthropic": "sk-ant-api03-own-secret",
    "mistral": "ownsecretofmistral00000000000000",
}
LISTED = "accepted it, and listed what it has."
STORED = "ok: FERRY_STATE_URL: an object was written, read, listed and deleted."
LAST = "not tried: uploads, batches and generation, which cost money or leave something behind."


def setting(provider: str, name: str) -> str:
    return f"FERRY_PROVIDERS__{provider.upper()}__{name}"


@pytest.fixture(autouse=True)
def _settings(no_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All addresses are closed ports of this machine, unless a test names others."""
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("FERRY_STATE_URL", (tmp_path / "state").as_uri())
    for provider in KEYS:
        monkeypatch.setenv(setting(provider, "BASE_URL"), "http://127.0.0.1:1")


@pytest.fixture
async def fakes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, URL]]:
    apps = {
        "gemini": (gemini_app, ""),
        "openai": (openai_app, "v1"),
        "anthropic": (anthropic_app, ""),
        "mistral": (mistral_app, "v1"),
    }
    async with AsyncExitStack() as running:
        urls: dict[str, URL] = {}
        for provider, (make, path) in apps.items():
            server = TestServer(make())
            await server.start_server()
            running.push_async_callback(server.close)
            urls[provider] = server.make_url(f"/{path}")
            monkeypatch.setenv(setting(provider, "BASE_URL"), str(urls[provider]))
        yield urls


async def findings() -> list[str]:
    found = [str(each) for each in await try_online(load(KINDS))]
    assert not any("secret" in each for each in found), found
    return found


def about(provider: str, found: list[str]) -> list[str]:
    return [each for each in found if f"FERRY_PROVIDERS__{provider.upper()}__" in each]


# --- providers -------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", KEYS)
async def test_an_own_key_and_an_address_that_work(
    fakes: dict[str, URL], monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setenv(setting(provider, "CREDENTIALS"), "ambient")
    monkeypatch.setenv(setting(provider, "API_KEY"), KEYS[provider])
    found = await findings()
    address, credential = about(provider, found)
    base_url = setting(provider, "BASE_URL")
    assert address.startswith(f"ok: {base_url}: {str(fakes[provider]).rstrip('/')}")
    assert credential == f"ok: {setting(provider, 'API_KEY')}: {provider} {LISTED}"
    assert found[0] == STORED
    assert found[-1] == LAST


async def test_keys_of_awss_chain_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving_bedrock() as bedrock:
        for name, value in aws_environment().items():
            monkeypatch.setenv(name, value)
        settings = {
            "BASE_URL": bedrock.url,
            "S3_ENDPOINT_URL": bedrock.s3_url,
            "REGION": REGION,
            "ROLE_ARN": ROLE_ARN,
            "S3_URI": f"s3://{FILES_BUCKET}/check",
            "CREDENTIALS": "ambient",
        }
        for name, value in settings.items():
            monkeypatch.setenv(setting("bedrock", name), value)
        found = about("bedrock", await findings())
    assert [each.split(": ")[:2] for each in found] == [
        ["ok", setting("bedrock", "BASE_URL")],
        ["ok", setting("bedrock", "S3_ENDPOINT_URL")],
        ["ok", setting("bedrock", "CREDENTIALS")],
    ]


async def test_a_callers_key_cannot_be_tried(fakes: dict[str, URL]) -> None:
    found = await findings()
    for provider in KEYS:
        address, credential = about(provider, found)
        assert address.startswith("ok: ")
        name = setting(provider, "CREDENTIALS")
        assert credential == f"not tried: {name} is caller: each request has its own key."
    assert about("bedrock", found) == [
        f"not tried: {setting('bedrock', 'BASE_URL')} is not set: the address depends on each "
        "request.",
        f"not tried: {setting('bedrock', 'CREDENTIALS')} is caller: each request has its own key.",
    ]


async def test_a_refused_key_is_named_without_the_providers_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b'{"error": {"message": "bad key sk-own-secret", "code": "invalid_api_key"}}'
    head = (
        b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    async with raw_upstream(answer_once(head % len(body) + body)) as url:
        for provider in ("openai", "gemini"):
            monkeypatch.setenv(setting(provider, "BASE_URL"), str(url / "v1"))
            monkeypatch.setenv(setting(provider, "CREDENTIALS"), "ambient")
            monkeypatch.setenv(setting(provider, "API_KEY"), KEYS[provider])
        found = await findings()
    assert about("openai", found)[-1] == (
        "failed: FERRY_PROVIDERS__OPENAI__API_KEY: openai refused it with status 401 "
        "(invalid_api_key)."
    )
    assert about("gemini", found)[-1] == (
        "failed: FERRY_PROVIDERS__GEMINI__API_KEY: gemini refused it with status 401."
    )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "127.0.0.1 cannot be reached."),
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", "/v1 answered with status 503."),
        (b"not HTTP\r\n\r\n", "127.0.0.1 sent a response that is not valid HTTP."),
    ],
)
async def test_an_address_without_a_usable_answer(
    monkeypatch: pytest.MonkeyPatch, answer: bytes | None, problem: str
) -> None:
    if answer is None:
        address, *_ = about("openai", await findings())
    else:
        async with raw_upstream(answer_once(answer)) as url:
            monkeypatch.setenv(setting("openai", "BASE_URL"), str(url / "v1"))
            address, *_ = about("openai", await findings())
    assert address.startswith("failed: FERRY_PROVIDERS__OPENAI__BASE_URL: ")
    assert address.endswith(problem)


async def test_silence_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("proxy.online_check.DEADLINE_SECONDS", 0.2)
    async with raw_upstream(silent) as url:
        monkeypatch.setenv(setting("openai", "BASE_URL"), str(url / "v1"))
        address, *_ = about("openai", await findings())
    assert address == "failed: FERRY_PROVIDERS__OPENAI__BASE_URL: no answer within 0.2 s."


async def test_a_provider_that_no_setting_mentions_is_only_a_risk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # so that no test calls the provider
    for provider in ("openai", "gemini"):
        monkeypatch.delenv(setting(provider, "BASE_URL"))
    found = await try_online(load(KINDS))
    outcomes = {each.text.split(": ")[0]: each.outcome for each in found}
    assert outcomes["FERRY_PROVIDERS__OPENAI__BASE_URL"] is Outcome.RISK
    assert outcomes["FERRY_PROVIDERS__GEMINI__BASE_URL"] is Outcome.FAILED  # the default provider
    assert outcomes["FERRY_PROVIDERS__MISTRAL__BASE_URL"] is Outcome.FAILED  # a setting names it


# --- the state store -------------------------------------------------------------------------


async def test_a_bucket_is_left_as_it_was(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = new_prefix()
    for name, value in s3.settings(prefix).items():
        monkeypatch.setenv(name, value)
    assert (await findings())[0] == STORED
    tried = await s3.requests(prefix)
    assert {"PUT", "GET", "DELETE"} <= {each["method"] for each in tried}


@pytest.mark.parametrize(
    ("match", "step"),
    [({"path": "/proof/", "method": "GET"}, "read"), ({"query": "list-type"}, "listed")],
)
async def test_a_step_that_a_bucket_refuses_is_named(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch, match: dict[str, str], step: str
) -> None:
    for name, value in s3.settings(new_prefix()).items():
        monkeypatch.setenv(name, value)
    await s3.arm({**match, "times": 20}, "status", status=403, body="no")
    try:
        found = await findings()
    finally:
        await s3.post("reset", {})
    assert found[0].startswith(f"failed: FERRY_STATE_URL: an object could not be {step}: ")


async def test_a_directory_is_left_as_it_was(tmp_path: Path) -> None:
    assert (await findings())[0] == STORED
    assert [path.name for path in (tmp_path / "state").rglob("*")] in ([], [".tmp"])


async def test_an_absent_directory_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_STATE_URL", (tmp_path / "later").as_uri())
    assert (await findings())[0] == (
        "not tried: FERRY_STATE_URL: the directory is made at the first start."
    )
    assert not (tmp_path / "later").exists()


async def test_whether_clients_reach_it_cannot_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PUBLIC_URL", "https://ferry.example")
    assert "not tried: FERRY_PUBLIC_URL: only a client can tell whether it gets here." in (
        await findings()
    )


# --- the command -----------------------------------------------------------------------------


async def test_the_exit_code_says_whether_everything_worked(
    fakes: dict[str, URL], tmp_path: Path
) -> None:
    settings = {setting(provider, "BASE_URL"): str(url) for provider, url in fakes.items()}
    settings["FERRY_STATE_URL"] = (tmp_path / "state").as_uri()
    done = await asyncio.to_thread(ferry, "check", "--online", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{STORED}\n" in done.stdout
    assert "FERRY_PORT=8080\n" in done.stdout
    settings[setting("openai", "BASE_URL")] = "http://127.0.0.1:1/v1"
    done = await asyncio.to_thread(ferry, "check", "--online", **settings)
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        "failed: FERRY_PROVIDERS__OPENAI__BASE_URL: 127.0.0.1 cannot be reached.\n" in done.stdout
    )


def test_online_belongs_to_check() -> None:
    done = ferry("--online")
    assert done.returncode == 2
    assert "--online belongs to check" in done.stderr


def test_invalid_settings_are_not_tried() -> None:
    done = ferry("check", "--online", FERRY_PORT="x")
    assert (done.returncode, done.stdout) == (2, "")
