"""A stand-in for Google's Gemini API: every upload protocol, files, batches, generateContent."""

from .app import gemini_app

__all__ = ["gemini_app"]
