"""The parts that a provider may have or lack, with the names that the SDK gives them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from providers.errors import unimplemented
from providers.provider import (
    Batches,
    Embeddings,
    Files,
    Models,
    Prompts,
    Provider,
    Relay,
    Tokens,
)

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Capability(Generic[T_co]):
    """A part of a provider, with the name that the SDK gives it."""

    name: str
    of: Callable[[Provider], T_co | None]

    def required(self, provider: Provider) -> T_co:
        """Raises UNIMPLEMENTED if the provider lacks it."""
        found = self.of(provider)
        if found is None:
            raise unimplemented(f"{self.name} does not work with {provider.name}")
        return found


FILES: Final[Capability[Files]] = Capability("client.files", lambda provider: provider.files)
BATCHES: Final[Capability[Batches]] = Capability(
    "client.batches", lambda provider: provider.batches
)
PROMPTS: Final[Capability[Prompts]] = Capability(
    "client.models.generate_content", lambda provider: provider.prompts
)
MODELS: Final[Capability[Models]] = Capability(
    "client.models.list", lambda provider: provider.models
)
TOKENS: Final[Capability[Tokens]] = Capability(
    "client.models.count_tokens", lambda provider: provider.tokens
)
EMBEDDINGS: Final[Capability[Embeddings]] = Capability(
    "client.models.embed_content", lambda provider: provider.embeddings
)
# Those that a refusal names: with them, the SDK works.
CAPABILITIES: Final[Sequence[Capability[object]]] = (
    FILES,
    BATCHES,
    PROMPTS,
    TOKENS,
    EMBEDDINGS,
    MODELS,
)
RELAY: Final[Capability[Relay]] = Capability("the relay", lambda provider: provider.relay)
