"""Which JSON Schemas a server with OpenAI's API accepts, for answers and for parameters."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from providers.gemini_content.root_schema import ObjectRoot

SchemaRule: TypeAlias = Callable[[Mapping[str, Any], str], None]
"""Raises INVALID_ARGUMENT for the JSON Schema at a path if the server does not accept it."""

# "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top
# level" (https://github.com/langchain-ai/langchainjs/issues/9804), and "root objects must not be
# anyOf and must be an object" (OpenAI's guide to structured outputs).
OPENAI_SCHEMAS: Final[SchemaRule] = ObjectRoot("OpenAI", ("anyOf", "oneOf", "allOf", "enum", "not"))


def any_schema(_schema: Mapping[str, Any], _path: str) -> None:
    """For servers with their own rules (vLLM, Ollama): the schema goes to them unchecked."""
