"""OpenAI's schemas for chat completions, responses and embeddings, for every server that has them.

`body_to_openai` translates Gemini's requests by the rules of a `Dialect`, `result_from_openai` a
line of results. Everything here is pure. Used by `openai` and `mistral`.
"""
