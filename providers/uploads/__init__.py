"""The resumable upload protocol and its sessions, over an `UploadTarget` for each provider.

`resumable` is the protocol; a target stores the chunks, and makes a file of them or drops them.
`native_files` reads the files of a provider that has all of them. Used by all providers but
`gemini`, which uses Google's own protocol.
"""
