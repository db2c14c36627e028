"""OpenAI's schemas for chat completions, responses and embeddings, whoever serves them.

`generate_to_openai` and `embed_to_openai` translate Gemini's requests, `result_from_openai` a line
of results. Pure functions. Used by `openai`.
"""
