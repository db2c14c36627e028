"""The files that a request names by their ids; each must be one of its owner.

Unverified: the status and the words with which OpenAI refuses an unknown one.
"""

from collections.abc import Iterator
from typing import Any

from .envelope import refuse
from .store import OpenAIStore

# What a request to each endpoint says, as opposed to its tools.
SAID = ("messages", "input")


def check_named_files(store: OpenAIStore, owner: str, body: dict[str, Any]) -> None:
    """Raises Refusal."""
    for file_id in _ids([body.get(name) for name in SAID]):
        found = store.files.get(file_id)
        if found is None or found.owner != owner:
            raise refuse(400, f"Invalid file: there is no file {file_id}.", param="file_id")


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _ids(item)
    elif isinstance(value, dict):
        if isinstance(value.get("file_id"), str):
            yield value["file_id"]
        for item in value.values():
            yield from _ids(item)
