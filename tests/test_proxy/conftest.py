import os
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from aioresponses import aioresponses

from proxy.outbound import OutboundClient


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    client = OutboundClient()
    yield client
    await client.close()


class _Answer(ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"stream_writer": Mock(output_size=0), **kwargs})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """aioresponses, with the `stream_writer` that aiohttp 3.14 requires of a response.

    aioresponses 0.7.9 does not have it. `test_outbound_answers.py` shows when this can be removed.
    """
    monkeypatch.setattr("aioresponses.core.ClientResponse", _Answer)
    with aioresponses() as answers:
        yield answers


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes all settings from the environment."""
    for name in [name for name in os.environ if name.upper().startswith("FERRY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
