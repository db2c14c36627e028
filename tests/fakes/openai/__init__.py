"""A stand-in for OpenAI: files, uploads in parts, batches with real validation of every line."""

from .app import completions_app, openai_app

__all__ = ["completions_app", "openai_app"]
