"""Strict, stateful stand-ins for the upstreams, written from the facts and never from the proxy.

The rules:
1. A fake imports nothing of `proxy`, `middlewares`, `providers`: it must not share their mistakes.
2. It refuses what the real one refuses: unknown or missing fields, wrong purposes and lengths.
3. It refuses what must never leave the proxy: `x-model-provider`, `x-ferry-*`, foreign headers.
4. Every credential is a project of its own: a key does not see what another key made. The
   key pairs of AWS (`aws_keys`) belong to one account and see the same objects.
5. No timers: a batch advances by one state at each get, or when `/_fake/` tells it to.
6. Answers derive from the input ("echo: <last user text>"), so tests can compare line by line.
   "please fail" in a text fails, "please refuse" is refused, "call the tool" calls the first
   tool; all but Gemini never answer "please lose", Anthropic lets "please expire" expire, the
   thinking of "please redact" is redacted, and Mistral, which knows no refusals, ends the answer
   to "please refuse" with the reason "error".
7. Bodies go to a temporary file, never whole into memory; lengths are checked to the byte.
8. Tests arm faults, wait and look inside through `/_fake/` on the same port (see `control`).
9. Where the facts do not say what the real one does, the fake does the stricter thing.

`python -m tests.fakes gemini|openai|mistral|anthropic|bedrock|s3 [--port N]` prints `{"fake",
"url", "control"}` once it listens, and for Bedrock `"s3_url"` and the other settings that a proxy
needs. In process: `tests.fakes.gemini.gemini_app()`, `tests.fakes.openai.openai_app()`,
`tests.fakes.mistral.mistral_app()`, `tests.fakes.anthropic.anthropic_app()`,
`tests.fakes.s3.s3_app()`, and `tests.fakes.bedrock.serving_bedrock()`, which starts an S3 too.
"""
