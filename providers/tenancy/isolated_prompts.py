"""Prompts of tenants that share a credential: they name only files of their own tenant."""

from functools import partial

from providers.credential import Caller
from providers.json_api.read_in_memory import parsed_in_memory
from providers.memory import MemoryBudget
from providers.provider import Prompts, Tokens
from providers.resources import AnswerStream, Counted, Generated, Prompt
from providers.tenancy.ownership import Ownership
from providers.tenancy.references import References


class IsolatedPrompts:
    """Implements `providers.provider.Prompts`."""

    def __init__(self, prompts: Prompts, names: "NamedFiles") -> None:
        self._prompts = prompts
        self._names = names

    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        await self._names.check(caller, prompt)
        return await self._prompts.generate(caller, prompt)

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        await self._names.check(caller, prompt)
        return await self._prompts.stream(caller, prompt)


class IsolatedTokens:
    """Implements `providers.provider.Tokens`."""

    def __init__(self, tokens: Tokens, names: "NamedFiles") -> None:
        self._tokens = tokens
        self._names = names

    async def count(self, caller: Caller, prompt: Prompt) -> Counted:
        await self._names.check(caller, prompt)
        return await self._tokens.count(caller, prompt)


class NamedFiles:
    """The files that a prompt names."""

    def __init__(self, ownership: Ownership, references: References, memory: MemoryBudget) -> None:
        self._ownership = ownership
        self._references = references
        self._memory = memory

    async def check(self, caller: Caller, prompt: Prompt) -> None:
        """Raises INVALID_ARGUMENT, with the JSON path, for one that is not the tenant's."""
        async with parsed_in_memory(self._memory, prompt.request) as request:
            owns = partial(self._ownership.owns, caller.tenant)
            await self._references.check(request, "", owns)
