"""A stand-in for Anthropic: files, and message batches that check every request as they answer."""

from .app import anthropic_app

__all__ = ["anthropic_app"]
