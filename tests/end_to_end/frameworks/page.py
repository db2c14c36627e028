"""The rows of deploy/docs/frameworks.md, and the program of each."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.test_documentation import ROOT

HERE: Final = Path(__file__).parent
PAGE: Final = ROOT / "deploy" / "docs" / "frameworks.md"

ROW: Final = re.compile(r"^\| (.+) \| `([^`]+)` \|$", re.MULTILINE)
"""A row's framework with its version, and the expression that points it at the proxy."""

CALLS: Final = ("prompt", "stream", "call_tool", "structured", "see_image")
"""What a program can do. Each takes what the row's expression makes, the model, and a text.

`stream` returns the pieces of the answer, `structured` a `Forecast`, the others the answer's text.
"""


@dataclass(frozen=True)
class Program:
    """A module here, the requirements of its environment, and the package that the row is about."""

    module: str
    environment: str
    package: str

    @property
    def python(self) -> Path:
        return ROOT / ".venv-frameworks" / self.environment / "bin" / "python"

    @property
    def calls(self) -> list[str]:
        """Those of `CALLS` that it defines or imports; to import it needs its environment."""
        nodes = ast.walk(ast.parse((HERE / f"{self.module}.py").read_text()))
        named = {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.alias)}
        return [call for call in CALLS if call in named]


PROGRAMS: Final = {
    "langchain-google-genai 4.4": Program("with_langchain", "current", "langchain-google-genai"),
    "langchain-google-genai 2.1": Program(
        "with_langchain_2", "langchain-2", "langchain-google-genai"
    ),
    "Pydantic AI 2.68": Program("with_pydantic_ai", "current", "pydantic-ai-slim"),
    "Google ADK 2.13": Program("with_adk", "current", "google-adk"),
    "Instructor 1.17": Program("with_instructor", "current", "instructor"),
    "LlamaIndex llms-google-genai 0.11": Program(
        "with_llama_index", "current", "llama-index-llms-google-genai"
    ),
    "LiteLLM 1.110": Program("with_litellm", "current", "litellm"),
    "smolagents 1.26": Program("with_smolagents", "current", "smolagents"),
    "DSPy 3.4": Program("with_dspy", "current", "dspy"),
    "google-generativeai 0.8": Program("with_generativeai", "generativeai", "google-generativeai"),
}


def rows() -> dict[str, str]:
    """The expression of each framework."""
    return dict(ROW.findall(PAGE.read_text()))
