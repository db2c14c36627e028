"""What was deleted here although the provider keeps it: OpenAI and Bedrock delete no batch."""

import asyncio
from collections.abc import Sequence

from providers.resource_names import result_file_id
from providers.state import State, write


def batch_tombstone(batch_id: str) -> str:
    """A batch's name in the state store, whose names have no upper case."""
    return f"b{result_file_id(batch_id)}"


class Tombstones:
    """Of one upstream. Names are those of `providers.resource_names.FileId`, encoded."""

    def __init__(self, upstream: str, state: State) -> None:
        self._prefix = f"tombstones/{upstream}"
        self._state = state

    async def bury(self, name: str) -> None:
        await write(self._state, f"{self._prefix}/{name}", b"")

    async def buried(self, name: str) -> bool:
        return await self._state.head(f"{self._prefix}/{name}") is not None

    async def among(self, names: Sequence[str]) -> set[str]:
        found = await asyncio.gather(*(self.buried(name) for name in names))
        return {name for name, buried in zip(names, found, strict=True) if buried}
