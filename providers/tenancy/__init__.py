"""Tenants that share the proxy's own credential: each sees only its own files and batches.

`owned_capabilities` wraps a provider's capabilities and asks `ownership` for each name. Used by the
composition root for every provider, and by `gemini` for calls that it relays.
"""
