"""What the application counts for the configured providers."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from providers.state import write
from providers.uploads.upload_target import new_session_id, session_object
from proxy.composition import application
from proxy.kinds import KINDS
from proxy.metrics import NONE
from proxy.metrics_page import PAGE
from proxy.settings import load
from proxy.state_directory import DirectoryState
from tests.scraping import Scrape, parsed

WORK_SECONDS = 20
TWO_DAYS_SECONDS = 2 * 86400


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> web.Application:
    """With a provider `europe` besides those of each kind."""
    monkeypatch.setenv("FERRY_STATE_URL", tmp_path.as_uri())
    monkeypatch.setenv("FERRY_PROVIDERS__EUROPE__KIND", "gemini")
    return application(load(KINDS))


@asynccontextmanager
async def running(app: web.Application) -> AsyncIterator[None]:
    runner = web.AppRunner(app)
    await runner.setup()
    yield
    await runner.cleanup()


async def shown(app: web.Application) -> Scrape:
    page = await app[PAGE].answer(make_mocked_request("GET", "/metrics"))
    return parsed(str(page.text))


async def test_the_metrics_name_every_provider_with_its_kind(app: web.Application) -> None:
    async with running(app):
        scraped = await shown(app)

    kinds = {
        (dict(labels)["provider"], dict(labels)["kind"]): value
        for (name, labels), value in scraped.items()
        if name == "ferry_provider_info"
    }
    assert kinds == {**{(kind, kind): 1 for kind in KINDS}, ("europe", "gemini"): 1}


async def swept(app: web.Application, directory: Path, count: int) -> Scrape:
    """A scrape after the sweep at the start, which no client waits for."""
    async with asyncio.timeout(WORK_SECONDS):
        while True:
            scraped = await shown(app)
            # Unlike `glob`, this ignores folders that the sweep deletes meanwhile.
            left = any(files for _, _, files in os.walk(directory / "uploads"))
            if not left and scraped.of("ferry_uploads_abandoned_total") >= count:
                return scraped
            await asyncio.sleep(0)


async def test_abandoned_uploads_are_counted_by_provider(
    app: web.Application, tmp_path: Path
) -> None:
    state = DirectoryState(tmp_path)
    abandoned = [new_session_id(name) for name in ("openai", "europe", "europe", "no-longer-here")]
    of_an_earlier_version, ended = "0123456789abcdef", new_session_id("openai")
    keys = [session_object(each, "key") for each in (*abandoned, of_an_earlier_version)]
    for name in (*keys, session_object(ended, "end"), session_object(abandoned[0], "part-1")):
        await write(state, name, b"x")
        then = time.time() - TWO_DAYS_SECONDS
        os.utime(tmp_path / f"{name}=", (then, then))

    async with running(app):
        scraped = await swept(app, tmp_path, len(keys))

    counted = {
        provider: scraped.of("ferry_uploads_abandoned_total", provider=provider)
        for provider in scraped.labels("ferry_uploads_abandoned_total", "provider")
    }
    assert counted == {"openai": 1, "europe": 2, NONE: 2}
