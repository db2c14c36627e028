"""Batches that the proxy runs itself, and the wait for their end."""

import asyncio

from providers.resources import Batch
from tests.contract.bedrock_with_fake import BedrockWithFake

RUNTIME = "model/.*/converse"
_SECONDS = 30


async def has_ended(bedrock: BedrockWithFake, batch_id: str) -> Batch:
    """The batch when it has ended, without results. Each `get` is answered from memory."""
    async with asyncio.timeout(_SECONDS):
        while True:
            batch = await bedrock.batches.get(bedrock.caller, batch_id)
            await bedrock.give_back(batch)
            if batch.state.terminal:
                return batch
            await asyncio.sleep(0)
