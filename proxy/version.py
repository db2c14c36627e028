"""The version of the installed program."""

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    try:
        return metadata.version("genai-ferry")
    except metadata.PackageNotFoundError:
        return "(unknown version: it runs from a checkout that is not installed)"
