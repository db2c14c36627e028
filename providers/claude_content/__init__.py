"""The schema of Anthropic's Messages, whoever serves Claude: what Gemini asks becomes the params of
a message, and a message becomes Gemini's answer.

`generate_to_anthropic` is the way there, `message_from_anthropic` the way back. What of the schema
depends on the model stands in `claude_models`, what on the API's version in `api_version`.

Everything here is a pure function of its arguments.
"""
