"""The application that the settings describe."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from proxy.composition import application
from proxy.kinds import KINDS
from proxy.metrics_page import PAGE
from proxy.settings import load
from tests.scraping import parsed


async def test_the_metrics_name_every_provider_with_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRY_STATE_URL", tmp_path.as_uri())
    monkeypatch.setenv("FERRY_PROVIDERS__EUROPE__KIND", "gemini")
    app = application(load(KINDS))

    runner = web.AppRunner(app)
    await runner.setup()
    page = await app[PAGE].answer(make_mocked_request("GET", "/metrics"))
    await runner.cleanup()

    shown = parsed(str(page.text))
    kinds = {
        (dict(labels)["provider"], dict(labels)["kind"]): value
        for (name, labels), value in shown.items()
        if name == "ferry_provider_info"
    }
    assert kinds == {**{(kind, kind): 1 for kind in KINDS}, ("europe", "gemini"): 1}
