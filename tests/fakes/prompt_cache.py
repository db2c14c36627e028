"""The prompt caches of Anthropic and Bedrock: breakpoints, and what is read and written at them.

A breakpoint ends a prefix of the request, in the order tools, system, messages. Sources:
https://platform.claude.com/docs/en/build-with-claude/prompt-caching and
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

MOST = 4
# Of the models with the lowest minimum. A shorter prefix is not cached, and that is no error.
MINIMUM = 1024
LIVES = {"5m": 1, "1h": 2}

Piece: TypeAlias = tuple[Any, str | None]
"""A block of the request, and the life of the breakpoint after it."""


@dataclass(frozen=True)
class Cached:
    """Tokens that were read from the cache, and written to it by the life of their entries."""

    read: int = 0
    written: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LIVES, 0))


def problem(pieces: Iterable[Piece]) -> str | None:
    """What is wrong with the breakpoints."""
    lives = [life for _, life in pieces if life is not None]
    if len(lives) > MOST:
        return f"A maximum of {MOST} blocks with cache_control may be provided. Found {len(lives)}."
    if sorted(lives, key=LIVES.__getitem__, reverse=True) != lives:
        return "a ttl='1h' block must not come after a ttl='5m' block"
    return None


class PromptCache:
    """Entries do not expire: no test waits for minutes."""

    def __init__(self) -> None:
        self._entries: set[bytes] = set()

    def use(self, owner: str, model: str, pieces: Iterable[Piece]) -> Cached:
        """Reads the longest prefix that is there, and writes the longer ones."""
        read, counted = 0, Cached()
        missing: list[tuple[bytes, int, str]] = []
        for digest, tokens, life in _prefixes(owner, model, pieces):
            if tokens < MINIMUM:
                continue
            if digest in self._entries:
                read, missing = tokens, []
            else:
                missing.append((digest, tokens, life))
        before = read
        for digest, tokens, life in missing:
            self._entries.add(digest)
            counted.written[life] += tokens - before
            before = tokens
        return Cached(read, counted.written)


def _prefixes(owner: str, model: str, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, int, str]]:
    digest, size = hashlib.sha256(f"{owner} {model} ".encode()), 0
    for block, life in pieces:
        text = orjson.dumps(block, option=orjson.OPT_SORT_KEYS)
        digest.update(text)
        size += len(text)
        if life is not None:
            yield digest.digest(), size // 4, life
