"""A stand-in for OpenAI: files, uploads in parts, batches with real validation of every line."""

from .app import openai_app

__all__ = ["openai_app"]
