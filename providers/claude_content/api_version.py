"""Which `anthropic-version` a request can be sent under (anthropic.md section 1)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

OLD_VERSION: Final = "2023-06-01"
NEW_VERSION: Final = "2026-10-21"

SAMPLING: Final = ("temperature", "top_p", "top_k")


def needs_old_version(params: Mapping[str, Any]) -> bool:
    """Whether Messages params, valid or not, have members that version 2026-10-21 refuses.

    These are sampling parameters, a document in an assistant's turn, and citations in a user's
    turn. All items of a batch are sent under one version, so one such item decides for all.
    """
    if any(params.get(name) is not None for name in SAMPLING):
        return True
    return any(
        (role == "assistant" and block.get("type") == "document")
        or (role == "user" and block.get("type") == "text" and bool(block.get("citations")))
        for role, block in _blocks(params)
    )


def _blocks(params: Mapping[str, Any]) -> Iterator[tuple[object, dict[str, Any]]]:
    for message in _objects(params.get("messages")):
        for block in _objects(message.get("content")):
            yield message.get("role"), block


def _objects(value: object) -> list[dict[str, Any]]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]
