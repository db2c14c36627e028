"""The resumable upload protocol and its sessions, over an `UploadTarget` for each provider.

`resumable` is the protocol; a target stores the chunks, and makes a file of them or drops them.
Used by `openai`, `anthropic` and `bedrock`; `gemini` uses Google's own protocol.
"""
