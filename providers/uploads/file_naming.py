"""What a session remembers of an upload's start, and the names and types for a provider's form."""

import re
import time
from collections.abc import Mapping
from typing import Final

from providers.upload import UploadStart

BATCH_PURPOSE: Final = "batch"
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def start_details(start: UploadStart, **more: str) -> dict[str, str]:
    """The details of a session; empty ones are left out."""
    details = {
        "display_name": start.display_name or start.file_name or "",
        "mime_type": start.mime_type or "",
        "started": str(int(time.time())),
        "expires_after": str(start.expires_after or ""),
        **more,
    }
    return {key: value for key, value in details.items() if value}


def native_file_name(start: UploadStart, purpose: str) -> str:
    """The display name as a file name; for a batch it must end in `.jsonl`, in lower case."""
    name = start.display_name or start.file_name or "upload"
    name = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    if purpose == BATCH_PURPOSE and not name.endswith(".jsonl"):
        name += ".jsonl"
    return name


def part_type(details: Mapping[str, str]) -> str:
    """The content type of the file. SDKs also send a client's invalid types, such as `jsonl`."""
    if details["purpose"] == BATCH_PURPOSE:
        return "application/jsonl"
    mime_type = details.get("mime_type", "")
    return mime_type if _MIME_TYPE.fullmatch(mime_type) else "application/octet-stream"
