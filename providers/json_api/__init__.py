"""Calls to a provider's JSON API, and JSON whose shape is checked as it is read.

`client` sends documents and maps refusals to our errors; `answer_shape` reads members of an answer;
`json_text` parses and renders exactly; `page_tokens` pages through lists; `multipart` is a form
with a file. Used by the packages beside it and by all providers.
"""
