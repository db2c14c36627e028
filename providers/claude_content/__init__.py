"""The schema of Anthropic's Messages, for every provider that serves Claude.

`generate_to_anthropic` translates Gemini's request to the params of a message, and
`message_from_anthropic` translates the message to Gemini's answer. `claude_models` says what
depends on the model, `api_version` what depends on the version of the API.

Everything here is pure: no input, no output, no clock. Used by `anthropic` and `bedrock`.
"""
