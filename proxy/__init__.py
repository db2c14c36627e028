"""genai-ferry: the Google GenAI SDK's files and batches, on any provider.

A client points the SDK's `base_url` at `/genai` and names a provider in `x-model-provider`.
One request makes one journey through `middlewares.chain.CHAIN`:

    observe              a request id, and one line of log
    error_envelope       whatever goes wrong further on, in Google's envelope
    auth_passthrough     the credential, from the request or from the sealed upload URL
    provider_resolution  method and path to a call, the header to a provider
    request_rewrite      the Gemini-shaped body to one typed operation
    response_rewrite     on the way back, the outcome in Gemini's shape
    forward              the provider carries the operation out

A provider (`providers/`) is a few capability objects over two things that it is handed:
`Upstream` sends a request and gives a reply whose body is still on the wire, `State` keeps
write-once objects that no provider keeps. So replicas share nothing but the store, and bodies
stream through in constant memory.

This package is the gateway: the only one that opens sockets, reads the environment or touches a
disk. `composition` puts the house together, one row for each kind of provider. Imports point one
way: proxy -> middlewares -> providers.
"""
