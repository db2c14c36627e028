"""Calls to a provider's JSON API, and JSON that is read without trust in its shape.

`client` sends documents and maps refusals to our errors; `answer_shape` reads members of an answer;
`json_text` parses and renders exactly; `page_tokens` pages through lists. Used by the packages
beside it and by all providers.
"""
