"""What a provider is, and the providers there are.

A provider is a few capability objects (`uploads`, `files`, `batches`, `relay`) that carry typed
operations out. They reach the world only through what they are handed: `Upstream` sends a
request, `State` keeps small objects, `MemoryBudget` bounds what is held whole. Nothing here
knows a web server, a disk or the environment.
"""
