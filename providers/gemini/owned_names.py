"""Google's names as things that a tenant owns (gemini.md sections 4 and 5)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from providers.errors import invalid_argument
from providers.tenancy.ownership import Owned, Thing, batch_thing, native_file_thing
from providers.upload import UploadProgress
from providers.upstream import UpstreamError

# Wider than what is known of Google's ids, and without what a path would read otherwise.
ID: Final = r"[A-Za-z0-9_-]{1,128}"
_NAME: Final = re.compile(rf"(files|batches)/({ID})")


def thing_of(kind: Owned, native_id: str) -> Thing:
    return native_file_thing(native_id) if kind is Owned.FILES else batch_thing(native_id)


def given_file(name: object, path: str) -> Thing:
    """The file that a client names at the JSON path `path`."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or match[1] != Owned.FILES:
        raise invalid_argument("is not the name of a file (files/…)", path=path)
    return thing_of(Owned.FILES, match[2])


def made(document: object) -> Thing:
    """The file or batch that an answer of Google's shows by its `name`."""
    name = document.get("name") if isinstance(document, dict) else document
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise UpstreamError("UNAVAILABLE", "Google's answer names neither a file nor a batch")
    return thing_of(Owned(match[1]), match[2])


def uploaded(progress: UploadProgress) -> Thing | None:
    """The file that the answer to a last chunk shows."""
    if progress.document is None:
        return None
    try:
        return made(orjson.loads(progress.document)["file"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise UpstreamError("UNAVAILABLE", "Google's answer shows no file") from None


def result_files(batch: Mapping[str, Any]) -> Iterator[Thing]:
    """The files of results that Google says a batch has, in both places where it does."""
    metadata = batch.get("metadata")
    outputs = (
        metadata.get("output") if isinstance(metadata, dict) else None,
        batch.get("response"),
    )
    for output in outputs:
        if isinstance(output, dict) and output.get("responsesFile"):
            yield made(output["responsesFile"])


def input_files(creation: object) -> Iterator[Thing]:
    """The files of requests that a creation's body names, in either spelling."""
    batch = creation.get("batch") if isinstance(creation, dict) else None
    for config_key in ("inputConfig", "input_config"):
        config = batch.get(config_key) if isinstance(batch, dict) else None
        for key in ("fileName", "file_name"):
            if isinstance(config, dict) and config.get(key) is not None:
                yield given_file(config[key], f"batch.{config_key}.{key}")
