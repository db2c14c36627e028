"""A stand-in for Mistral: files, and batch jobs with real validation of every line.

Where mistral.md says *unverified*, the fake does the stricter thing. It serves two endpoints in
jobs, chat completions and embeddings, and no signed addresses of files.
"""

from .app import mistral_app

__all__ = ["mistral_app"]
