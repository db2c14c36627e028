"""The interface of a provider, and the providers.

A provider is a few capability objects (`uploads`, `files`, `batches`, `relay`) that carry out typed
operations. They get everything they use as arguments: `Upstream` sends a request, `State` stores
small objects, `MemoryBudget` limits what is in memory as a whole. Nothing here knows a web server,
a disk or the environment.
"""
