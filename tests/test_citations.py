"""Every page that a comment or docstring cites exists, with a heading for each cited section.

A citation is the name of a page, alone or with sections: `sdk-wire.md`, `gemini.md section 3.2`,
`sdk-wire.md sections 1a and 6`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("proxy", "middlewares", "providers", "tests")
# The folders in which a page without a folder is looked up; the first match counts.
PLACES = (ROOT / "deploy" / "docs" / "facts", ROOT / "deploy" / "docs", ROOT)

SECTION = r"\d+(?:\.\d+)*[a-z]?\b"
CITATION = re.compile(
    r"(?P<page>(?:[\w.-]+/)*[A-Za-z][\w-]*\.md)\b"
    rf"(?:,?\s+(?:sections\s+(?P<several>{SECTION}(?:(?:,|,?\s+and)\s+{SECTION})*)"
    rf"|(?:section\s+)?(?P<one>{SECTION})))?"
)
HEADING = re.compile(rf"^##+ (?P<number>{SECTION})", re.MULTILINE)


@dataclass(frozen=True)
class Citation:
    """`line` is where the comment or docstring begins."""

    file: Path
    line: int
    page: str
    sections: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def python_files() -> list[Path]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return [file for file in files if "node_modules" not in file.parts]


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments on adjacent lines are one text: a citation may continue on the next line."""
    first, last, text = 0, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if line != last + 1:
            yield first, text
            first, text = line, ""
        text += token.string.lstrip("#")
        last = line
    yield first, text


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Strings that are statements: of modules, classes and functions, and below constants."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.lineno, str(node.value.value)


def parse(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (found["page"], tuple(re.findall(SECTION, found["several"] or found["one"] or "")))
        for found in CITATION.finditer(text)
    ]


def citations(file: Path) -> list[Citation]:
    source = file.read_text()
    if ".md" not in source:
        return []
    texts = [*comments(source), *docstrings(source)]
    return [
        Citation(file, line, page, sections)
        for line, text in texts
        for page, sections in parse(text)
    ]


def find_page(name: str) -> Path | None:
    places = (ROOT,) if "/" in name else PLACES
    return next((place / name for place in places if (place / name).is_file()), None)


def misses(citation: Citation) -> list[str]:
    page = find_page(citation.page)
    if page is None:
        return [f"{citation}: there is no page {citation.page}"]
    headings = {found["number"] for found in HEADING.finditer(page.read_text())}
    return [
        f"{citation}: {page.relative_to(ROOT)} has no section {section}"
        for section in citation.sections
        if section not in headings
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see streaming.md, traps", [("streaming.md", ())]),
        ("deploy/docs/reverse-proxies.md shows", [("deploy/docs/reverse-proxies.md", ())]),
        ("(gemini.md section 3.2).", [("gemini.md", ("3.2",))]),
        ("gemini.md\n    section 4, so that", [("gemini.md", ("4",))]),
        ("(gemini.md 3.2)", [("gemini.md", ("3.2",))]),
        ("(sdk-wire.md, 8)", [("sdk-wire.md", ("8",))]),
        ("sdk-wire.md section 2, 8 MiB", [("sdk-wire.md", ("2",))]),
        ("sdk-wire.md sections 1a and 6", [("sdk-wire.md", ("1a", "6"))]),
        ("sdk-wire.md sections 0, 1, 3 and 6", [("sdk-wire.md", ("0", "1", "3", "6"))]),
        (
            "bedrock.md sections 2 and 5, translation.md section 6",
            [("bedrock.md", ("2", "5")), ("translation.md", ("6",))],
        ),
        ("RFC 9110 section 9.3.2", []),
    ],
)
def test_a_citation_is_read_with_its_sections(
    text: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert parse(text) == expected


def test_a_citation_may_go_on_in_the_next_line_of_a_comment() -> None:
    source = "x = 1  # by gemini.md\n# section 4\n\n# gemini.md\n\n# 5 of them\n"

    found = [cited for _, text in comments(source) for cited in parse(text)]

    assert found == [("gemini.md", ("4",)), ("gemini.md", ())]


def test_a_missing_page_and_a_missing_section_are_misses() -> None:
    absent = Citation(ROOT / "proxy" / "app.py", 1, "absent.md", ("1",))
    unnumbered = Citation(ROOT / "proxy" / "app.py", 2, "README.md", ("99",))

    assert misses(absent) == ["proxy/app.py:1: there is no page absent.md"]
    assert misses(unnumbered) == ["proxy/app.py:2: README.md has no section 99"]


def test_every_citation_resolves() -> None:
    # The examples in this file are not citations.
    cited = [c for file in python_files() if file != Path(__file__) for c in citations(file)]

    assert cited
    assert not (missing := [miss for citation in cited for miss in misses(citation)]), "\n".join(
        ["what is cited does not exist:", *missing]
    )
