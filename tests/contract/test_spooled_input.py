"""With a spool, every provider gets what was checked, and the input is read once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest

from providers.batches.batch_input import InlineInput
from providers.memory import Limits
from providers.resources import NewBatch
from providers.spool import Spool
from tests.contract import (
    anthropic_with_fake,
    bedrock_with_fake,
    mistral_with_fake,
    openai_with_fake,
)
from tests.contract.bedrock_with_fake import BedrockWithFake
from tests.contract.provider_with_fake import LIMITS
from tests.test_providers.test_batches.batch_inputs import SmallSpool

TEXTS = [f"question {number}" for number in range(6)]
# The space, and how often the input is read.
SPACES = [(1 << 20, 1), (10, 2)]
WORKS = [
    (openai_with_fake.openai_with_fake, openai_with_fake.inline),
    (anthropic_with_fake.anthropic_with_fake, anthropic_with_fake.inline),
    (mistral_with_fake.mistral_with_fake, mistral_with_fake.inline),
]


@pytest.mark.parametrize(("opened", "inline"), WORKS)
@pytest.mark.parametrize(("size", "readings"), SPACES)
async def test_the_input_is_read_once_if_there_is_space(
    opened: Any, inline: Callable[..., NewBatch], size: int, readings: int
) -> None:
    async with opened() as work:
        await create(work, inline(*TEXTS), size, readings)


@pytest.mark.parametrize(("size", "readings"), SPACES)
async def test_the_input_at_bedrock_is_read_once_if_there_is_space(
    bedrock: BedrockWithFake, size: int, readings: int
) -> None:
    await create(bedrock, bedrock_with_fake.inline(*TEXTS), size, readings)


async def create(work: Any, batch: NewBatch, size: int, readings: int) -> None:
    spool, opened = SmallSpool(size), 0

    @asynccontextmanager
    async def open_spool() -> AsyncIterator[Spool]:
        nonlocal opened
        opened += 1
        yield spool

    limits = Limits(LIMITS.line, LIMITS.inline_results, open_spool)
    batches = work.replica(limits=limits).batches
    with patch.object(InlineInput, "lines", autospec=True, side_effect=InlineInput.lines) as lines:
        await batches.create(work.caller, batch)
    assert opened == 1
    assert lines.call_count == readings
    assert all(text.encode() in b"".join(spool.pieces) for text in TEXTS) == (readings == 1)
