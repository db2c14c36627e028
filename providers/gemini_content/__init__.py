"""Gemini's content schema, for the providers that do not speak it.

`normalise` brings a request in any accepted spelling to one strict form and checks it, so the
translators do not check it again. It reads the table in `schema`. The other modules are what the
translators share: content parts, function calls, JSON Schemas, candidates, warnings, JSON paths.

Everything here is pure: no input, no output, no clock.
"""
