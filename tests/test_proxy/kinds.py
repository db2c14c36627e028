"""Kinds of provider for tests of the settings; they cannot be built."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    settings: frozenset[str]
    takes_api_key: bool
    public_url: str | None
    header_settings: tuple[str, ...]


PUBLIC_URLS = {
    "gemini": "https://gemini.example",
    "openai": "https://openai.example/v1",
    "anthropic": "https://anthropic.example",
}
HEADER_SETTINGS = {"bedrock": ("region", "role_arn", "s3_uri")}


def kinds(**settings: set[str]) -> Mapping[str, Kind]:
    """By name, each with its own settings; bedrock gets its credential from a chain."""
    return {
        name: Kind(
            frozenset(own), name != "bedrock", PUBLIC_URLS.get(name), HEADER_SETTINGS.get(name, ())
        )
        for name, own in settings.items()
    }
