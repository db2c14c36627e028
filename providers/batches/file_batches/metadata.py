"""What the proxy stores in the `metadata` that the provider keeps with a batch."""

import re
from collections.abc import Mapping
from typing import Any, Final

from providers.errors import invalid_argument
from providers.limits import METADATA_VALUE
from providers.resources import NewBatch

JOB: Final = "ferry_job"
SOURCE: Final = "ferry_source"
INPUT: Final = "ferry_input"
"""Set if the proxy made the input file from a client's file in the provider's own format."""
MODEL: Final = "ferry_model"
DISPLAY_NAME: Final = "ferry_display_name"
REPEAT: Final = "ferry_repeat"
_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")
# Together they have space for all of `Warnings.render` (2048 bytes).
_WARNINGS: Final = [f"ferry_warnings_{number}" for number in range(1, 5)]


def new_metadata(job_id: str, batch: NewBatch, creation_key: str, whose: str) -> dict[str, str]:
    """For a batch of the job `job_id`; `creation_key` is that of its idempotency key.

    Raises INVALID_ARGUMENT for a name that `whose` metadata cannot hold.
    """
    display_name = batch.display_name or ""
    for value, path in ((display_name, "batch.displayName"), (batch.model, "model")):
        if len(value) > METADATA_VALUE:
            raise invalid_argument(f"{whose} keeps at most {METADATA_VALUE} characters", path=path)
    metadata = {JOB: job_id, MODEL: batch.model, DISPLAY_NAME: display_name, REPEAT: creation_key}
    return {name: value for name, value in metadata.items() if value}


def metadata_of(batch: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = batch.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(value, str)}


def job_of(batch: Mapping[str, Any]) -> str | None:
    """The job that created a batch; None for text that the proxy cannot have written."""
    job = metadata_of(batch).get(JOB, "")
    return job if _JOB_ID.fullmatch(job) else None


def warning_metadata(warnings: str) -> dict[str, str]:
    """The members that store the rendered `warnings`."""
    pieces = [
        warnings[start : start + METADATA_VALUE]
        for start in range(0, len(warnings), METADATA_VALUE)
    ]
    return dict(zip(_WARNINGS[: len(pieces)], pieces, strict=True))


def stored_warnings(metadata: Mapping[str, str]) -> str:
    """The stored warnings, or "" for text that the proxy cannot have written.

    Other tools can write metadata too.
    """
    warnings = "".join(metadata.get(name, "") for name in _WARNINGS)
    return warnings if warnings.isascii() and warnings.isprintable() else ""
