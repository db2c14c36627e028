"""Resources that a tenant owns, from Google's names (gemini.md sections 4 and 5)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from providers.errors import invalid_argument
from providers.json_api.answer_shape import object_or_nothing
from providers.json_api.json_text import parse_object
from providers.tenancy.ownership import OwnedResource, ResourceKind, owned_batch, owned_native_file
from providers.upload import UploadProgress
from providers.upstream import invalid_answer

# Wider than the known forms of Google's ids, without characters that have a meaning in a path.
ID: Final = r"[A-Za-z0-9_-]{1,128}"
_NAME: Final = re.compile(rf"(files|batches)/({ID})")


def resource_of(kind: ResourceKind, native_id: str) -> OwnedResource:
    return owned_native_file(native_id) if kind is ResourceKind.FILES else owned_batch(native_id)


def given_file(name: object, path: str) -> OwnedResource:
    """The file that a client names at JSON path `path`."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or match[1] != ResourceKind.FILES:
        raise invalid_argument("is not the name of a file (files/…)", path=path)
    return resource_of(ResourceKind.FILES, match[2])


def created_resource(document: object) -> OwnedResource:
    """The file or batch that an answer from Google names."""
    name = document.get("name") if isinstance(document, dict) else document
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise invalid_answer("Google's answer names neither a file nor a batch")
    return resource_of(ResourceKind(match[1]), match[2])


def uploaded_file(progress: UploadProgress) -> OwnedResource | None:
    """The file in the answer to a last chunk."""
    if progress.document is None:
        return None
    return created_resource((parse_object(progress.document) or {}).get("file"))


def result_files(batch: Mapping[str, Any]) -> Iterator[OwnedResource]:
    """A batch's results files, from both places where Google names them."""
    metadata = object_or_nothing(batch.get("metadata"))
    for output in map(object_or_nothing, (metadata.get("output"), batch.get("response"))):
        if output.get("responsesFile"):
            yield created_resource(output["responsesFile"])


def input_files(creation: object) -> Iterator[OwnedResource]:
    """The input files that the body of a creation names, in either spelling."""
    batch = object_or_nothing(object_or_nothing(creation).get("batch"))
    for config_key in ("inputConfig", "input_config"):
        config = object_or_nothing(batch.get(config_key))
        for key in ("fileName", "file_name"):
            if config.get(key) is not None:
                yield given_file(config[key], f"batch.{config_key}.{key}")
