"""A batch service of the proxy itself, for a provider that answers single requests.

`service` builds it from the provider's lines of batch input (`OwnLines`, in target.py) and its
answers to them (`Answerer`, in `batches.immediate`); `chat_answers` has these for APIs like
OpenAI's. `files` are for a server that keeps none. Used if IMMEDIATE_BATCHES is `always`.
"""
