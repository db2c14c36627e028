"""Prompts of tenants that share a credential: they name only files of their own tenant."""

from functools import partial

from providers.credential import Caller
from providers.json_api.read_in_memory import parsed_in_memory
from providers.memory import MemoryBudget
from providers.provider import Prompts
from providers.resources import AnswerStream, Generated, Prompt
from providers.tenancy.ownership import Ownership
from providers.tenancy.references import References


class IsolatedPrompts:
    """Implements `providers.provider.Prompts`."""

    def __init__(
        self, prompts: Prompts, ownership: Ownership, references: References, memory: MemoryBudget
    ) -> None:
        self._prompts = prompts
        self._ownership = ownership
        self._references = references
        self._memory = memory

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        await self._check(caller, prompt)
        return await self._prompts.generate(caller, prompt)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        await self._check(caller, prompt)
        return await self._prompts.stream(caller, prompt)

    async def _check(self, caller: Caller, prompt: Prompt) -> None:
        async with parsed_in_memory(self._memory, prompt.request) as request:
            owns = partial(self._ownership.owns, caller.tenant)
            await self._references.check(request, "", owns)
