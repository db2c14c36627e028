"""Kinds of provider as the settings know them, without anything to build."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    settings: frozenset[str]
    takes_api_key: bool
    public_url: str | None


PUBLIC_URLS = {
    "gemini": "https://gemini.example",
    "openai": "https://openai.example/v1",
    "anthropic": "https://anthropic.example",
}


def kinds(**settings: set[str]) -> Mapping[str, Kind]:
    """By name, each with the settings that are its own; bedrock asks a chain for its credential."""
    return {
        name: Kind(frozenset(own), name != "bedrock", PUBLIC_URLS.get(name))
        for name, own in settings.items()
    }
