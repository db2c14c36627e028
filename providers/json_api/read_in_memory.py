"""Reads a client's JSON as a whole, with the memory that its objects take reserved."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from providers.errors import invalid_argument
from providers.json_api.json_text import parse_clients_object
from providers.json_api.structure import Structure, TooComplex, weigh
from providers.long_work import off_loop
from providers.memory import MemoryBudget

T = TypeVar("T")


async def read_in_memory(memory: MemoryBudget, data: bytes, read: Callable[[], T]) -> T:
    """What `read` makes of `data`. The memory is free when it has returned.

    Raises INVALID_ARGUMENT for JSON that is too complex, RESOURCE_EXHAUSTED without memory, and the
    errors of `read`.
    """
    async with _weighed(memory, data) as structure:
        return await off_loop(read) if structure.is_long_work else read()


@asynccontextmanager
async def parsed_in_memory(memory: MemoryBudget, data: bytes) -> AsyncIterator[dict[str, Any]]:
    """The JSON object, for the length of the block. Raises as `read_in_memory` does."""
    async with _weighed(memory, data) as structure:
        long = structure.is_long_work
        yield await off_loop(parse_clients_object, data) if long else parse_clients_object(data)


@asynccontextmanager
async def _weighed(memory: MemoryBudget, data: bytes) -> AsyncIterator[Structure]:
    try:
        structure = await weigh(data)
    except TooComplex as error:
        raise invalid_argument(error.message, path="body") from None
    with memory.reserve(structure.extra_bytes):
        yield structure
