"""OpenAI's schemas for chat completions, responses and embeddings, for every server that has them.

`generate_to_openai` and `embed_to_openai` translate Gemini's requests, `result_from_openai` a line
of results. Everything here is pure. Used by `openai`.
"""
