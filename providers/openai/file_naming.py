"""The purpose of a file at OpenAI, and which files are listed (openai.md section 2)."""

from collections.abc import Mapping
from typing import Final

from providers.batches.file_batches.files import INPUT_PURPOSE, is_derived
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.upload import UploadStart, is_batch_input, suffix

PURPOSE_HEADER: Final = "x-ferry-openai-purpose"
PURPOSES: Final = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
# The purposes in the published specification of `POST /uploads` (github.com/openai/openai-openapi,
# CreateUploadRequest).
UPLOADS_PURPOSES: Final = frozenset({"assistants", "batch", "fine-tune", "vision"})
OUTPUT_PURPOSE: Final = "batch_output"

_IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})


def purpose_of(caller: Caller, start: UploadStart) -> str:
    """The purpose in the caller's header, or else one by the file's name and type."""
    named = caller.headers.get(PURPOSE_HEADER)
    if named is not None:
        if named not in PURPOSES:
            known = ", ".join(sorted(PURPOSES))
            raise invalid_argument(f"{PURPOSE_HEADER} {named[:40]!r} must be one of {known}")
        return named
    if is_batch_input(start):
        return INPUT_PURPOSE
    suffixes = {suffix(name) for name in (start.display_name, start.file_name)}
    if (start.mime_type or "").lower().startswith("image/") or suffixes & _IMAGE_SUFFIXES:
        return "vision"
    return "user_data"


def is_listed(file: Mapping[str, object]) -> bool:
    """Whether lists show a file: not a translated input and not a batch's raw output."""
    if file.get("purpose") == OUTPUT_PURPOSE:
        return False
    return not is_derived(file.get("filename"))
