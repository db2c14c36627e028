"""Gemini's content schema as every provider that does not speak it needs it.

`normalise` brings a request, in whichever spelling a client wrote it, to one strict form; what it
lets through, the translators need not doubt. `schema` is the table that it reads. The rest are
the words in which the translators answer: JSON Schemas, RPC statuses, warnings, JSON paths.

Everything here is a pure function of its arguments.
"""
