"""The benchmark beside other gateways, none of which is installed for the tests."""

from pathlib import Path

import pytest

from tests.benchmarks.side_by_side import peers


async def test_a_gateway_that_is_not_installed_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "_LITELLM", tmp_path / "absent")
    monkeypatch.setattr(peers, "_PORTKEY", tmp_path / "absent")
    found = [figure async for figure in peers.figures(turns=1)]
    assert [(figure.now, figure.why) for figure in found] == [
        (None, "LiteLLM is not installed"),
        (None, "Portkey is not installed"),
    ]
    assert "not measured: LiteLLM is not installed" in peers.markdown(found, "Measured today.")
