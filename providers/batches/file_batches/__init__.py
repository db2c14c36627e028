"""Batches whose input and results are files at the provider, which also keeps their metadata.

A provider supplies a `FileBatchApi` (`api`), and `target` implements `BatchTarget` over it.
`creation` uploads the input, `files` reads it and the results, `metadata` is what is stored with a
batch, `failures` says why requests have no answer. Used by `openai` and `mistral`.
"""
