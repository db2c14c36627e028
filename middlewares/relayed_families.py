"""Whole families of the SDK's calls that only a provider with Gemini's own protocol has.

Elsewhere each of them is refused, with the reason and what works instead, before a provider is
called. An empty list would say that there are none. Other calls that a provider lacks are refused
by the capability that is missing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from middlewares.paths import split_prefix
from providers.errors import FerryError, unimplemented


@dataclass(frozen=True, slots=True)
class Family:
    """`paths` matches the beginning of a path, without its version and `upload` or `download`."""

    name: str
    paths: re.Pattern[str]
    reason: str
    instead: str


_CHATS: Final = "client.chats and client.models.generate_content work"
_RUN_BY_GOOGLE: Final = "Google itself keeps and runs what is made there"

FAMILIES: Final[Sequence[Family]] = (
    Family(
        "cachedContents",
        re.compile(r"cachedContents(?:[/:]|$)"),
        "other providers keep no content under a name",
        "send the content with each request; the README's part on prompt caching says where its "
        "start can be cached",
    ),
    Family(
        "tunedModels",
        re.compile(r"tunedModels(?:[/:]|$)"),
        "other providers tune models with calls of their own",
        "call a tuned model by the name that it has at the provider",
    ),
    Family(
        "predict",
        re.compile(r"models/.+:predict$"),
        "it makes images with Google's models",
        "no call makes images",
    ),
    Family(
        "predictLongRunning",
        re.compile(r"models/.+(?::predictLongRunning$|/operations(?:/|$))"),
        "it makes videos with Google's models",
        "no call makes videos",
    ),
    Family(
        "fileSearchStores",
        re.compile(r"fileSearchStores(?:[/:]|$)"),
        "Google itself indexes and searches the documents",
        "put the documents into the prompt, inline or as uploaded files",
    ),
    Family(
        "auth_tokens",
        re.compile(r"auth_tokens(?:[/:]|$)"),
        "such a token opens a live session at Google",
        "the operator can give each client a token of this proxy (FERRY_CLIENT_TOKENS)",
    ),
    Family("interactions", re.compile(r"interactions(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("agents", re.compile(r"agents(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("triggers", re.compile(r"triggers(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("environments", re.compile(r"environments(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("decisions", re.compile(r"decisions(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("credentials", re.compile(r"credentials(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family("voices", re.compile(r"voices(?:[/:]|$)"), _RUN_BY_GOOGLE, _CHATS),
    Family(
        "webhooks",
        re.compile(r"webhooks(?:[/:]|$)"),
        _RUN_BY_GOOGLE,
        "poll with client.batches.get",
    ),
    Family(
        "live",
        re.compile(r"ws(?:/|$)"),
        "it is a session over a WebSocket at Google",
        "client.chats and client.models.generate_content_stream stream their answers",
    ),
)


# Most calls are of no family, and one pattern is enough to see that.
_ANY: Final = re.compile("|".join(family.paths.pattern for family in FAMILIES))


def family_of(path: str) -> Family | None:
    """The family of a raw path below the version; None for every other call."""
    if not _ANY.match(path):
        return None
    return next(family for family in FAMILIES if family.paths.match(path))


def refuse_family(target: str, provider: str, relaying: Sequence[str]) -> FerryError | None:
    """UNIMPLEMENTED if `target`, a raw path, is of a family that `provider` does not serve.

    `relaying` are the names of the providers that serve it.
    """
    _, _, path = split_prefix(target)
    family = family_of(path)
    if family is None:
        return None
    served = f"only {' or '.join(relaying)} has it" if relaying else "no provider here has it"
    return unimplemented(
        f"{family.name} is not served on {provider}; {served}: {family.reason}. "
        f"On {provider}: {family.instead}"
    )
