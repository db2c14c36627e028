"""genai-ferry: the Google GenAI SDK's files and batches, on any provider.

A client sets the SDK's `base_url` to `/genai` and names a provider in `x-model-provider`. Each
request passes through `middlewares.chain.CHAIN` once:

    observe              gives the request an id, and logs one line
    error_envelope       turns errors of the later steps into Google's envelope
    auth_passthrough     takes the credential from the request or from the sealed upload URL
    provider_resolution  finds the provider that the header names
    request_rewrite      reads the Gemini-shaped request into one typed operation
    response_rewrite     on the way back, renders the outcome in Gemini's shape
    forward              lets the operation carry itself out at the provider

A provider (`providers/`) is a few capability objects over two dependencies: `Upstream` sends a
request and returns a reply whose body is still being received, and `State` keeps write-once objects
that no provider keeps. So replicas share only the store, and bodies are streamed in constant
memory.

Only this package opens sockets, reads the environment or uses the disk. `composition` builds the
application, and `kinds` has one row for each kind of provider. Imports point one way:
proxy -> middlewares -> providers.
"""
