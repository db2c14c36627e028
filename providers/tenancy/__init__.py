"""Tenants that share the proxy's own credential: each sees only its own files and batches.

`isolation` wraps a provider's capabilities and checks every name with `ownership`. `tenant_lists`
filters lists, and `references` checks what requests name. Used by the composition root for every
provider, and by `gemini` for the calls that it relays.
"""
