"""Thoughts that hold only behind what they were made with: the system, tools and messages before.

anthropic.md section 4. Only Claude Fable 5.1 checks it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from .dialect import Dialect
from .envelope import refuse
from .request_rules import pieces

MODEL = "claude-fable-5-1"
BETA = "thinking-binding-controls-2026-08-01"


class Bindings:
    """The prefixes of each thinking block that the fake made, by its signature."""

    def __init__(self) -> None:
        self._made: defaultdict[str, set[bytes]] = defaultdict(set)

    def check(self, asked: dict[str, Any], dialect: Dialect) -> None:
        """Raises Refusal for a block behind another prefix, unless it is to be dropped."""
        binding = asked.get("thinking", {}).get("block_binding")
        if binding is not None and BETA not in dialect.betas:
            raise refuse(400, f"thinking.block_binding: needs the beta header {BETA}")
        if not asked["model"].startswith(MODEL) or binding == _DROP:
            return
        for seal, prefix in _sealed(asked):
            if prefix not in self._made[seal]:
                raise refuse(
                    400,
                    "Invalid `signature` in `thinking` block. The block is bound to a different "
                    "conversation. Remove the block, or set "
                    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".',
                )

    def remember(self, asked: dict[str, Any], content: list[dict[str, Any]]) -> None:
        before = [block for block, _ in pieces(asked)]
        for place, block in enumerate(content):
            if _seal(block):
                self._made[_seal(block)].add(_digest([*before, *content[:place]]))


_DROP = {"prefix_mismatch_behavior": "drop_block"}


def _sealed(asked: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    blocks = [block for block, _ in pieces(asked)]
    for place, block in enumerate(blocks):
        if _seal(block):
            yield _seal(block), _digest(blocks[:place])


def _seal(block: Any) -> str:
    kinds = {"thinking": "signature", "redacted_thinking": "data"}
    kind = block.get("type") if isinstance(block, dict) else None
    return block[kinds[kind]] if kind in kinds else ""


def _digest(blocks: list[Any]) -> bytes:
    return hashlib.sha256(orjson.dumps(blocks, option=orjson.OPT_SORT_KEYS)).digest()
