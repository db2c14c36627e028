"""Frameworks that call Gemini, as deploy/docs/frameworks.md points them at the proxy.

Only `make frameworks` installs and runs them; `page.py` says which program runs which row.
"""
