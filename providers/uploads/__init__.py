"""The resumable upload protocol and its sessions, over an `UploadTarget` for each provider.

`resumable` is the protocol; a target stores chunks, and finishes or drops them. Used by `openai`,
`anthropic` and `bedrock`; `gemini` has the provider's own protocol.
"""
