"""Each row of deploy/docs/frameworks.md, as it is written there, at every provider."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.frameworks.page import PROGRAMS, rows
from tests.end_to_end.frameworks.picture import BASE64
from tests.end_to_end.sdk_process import Sdk, SdkProcess
from tests.end_to_end.test_readme import ADDRESS, CLIENT, KEY, PROVIDER, replaced
from tests.fakes.media import seen

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

LONG: Final = " ".join(["hello"] * 100)

ASKED: Final[Mapping[str, tuple[str, Any]]] = {
    "prompt": ("hello", "echo: hello"),
    "stream": (LONG, f"echo: {LONG}"),
    "call_tool": ("call the tool", "It is sunny in text."),
    "see_image": ("see ", f"echo: see {seen(BASE64)}"),
    "structured": ("hello", {"city": "text", "days": 1}),
}
"""What each call asks, and the answer of the fakes' models; that after a tool has more words."""

ENVIRONMENT: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""LiteLLM does not load its list of models from the network."""


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=PROGRAMS)
async def program(request: pytest.FixtureRequest) -> AsyncIterator[SdkProcess]:
    """The program of one row."""
    row: str = request.param
    chosen = PROGRAMS[row]
    command = (str(chosen.python), "-m", f"{__package__}.runner", chosen.module)
    async with SdkProcess(Sdk(row, command, chosen.python, ENVIRONMENT), {}) as process:
        yield process


async def test_a_row(program: SdkProcess, fake: FakeClient, ferry: Ferry) -> None:
    row, provider = program.sdk.name, fake.kind.name
    here = {
        ADDRESS: ferry.base_url,
        KEY: fake.kind.key,
        PROVIDER: f'"x-model-provider": "{provider}"',
    }
    for call in PROGRAMS[row].calls:
        text, expected = ASKED[call]
        answer = await program.call(
            call,
            expression=rows()[row],
            client=replaced(here)[CLIENT],
            key=fake.kind.key,
            url=ferry.base_url,
            headers={"x-model-provider": provider},
            model=MODELS[provider],
            text=text,
        )
        if call == "stream":
            assert len(answer) > 1
            answer = "".join(answer)
        assert expected in answer if call == "call_tool" else answer == expected, (call, answer)
