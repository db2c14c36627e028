"""The tree in CONTRIBUTING.md names the packages that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("proxy", "middlewares", "providers")


def test_the_tree_names_every_package() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    tree = page.partition("```\n")[2].partition("```")[0]
    parents: list[str] = []
    named = set()
    for indent, name in re.findall(r"^( *)([a-z_]+)/ ", tree, re.MULTILINE):
        depth = len(indent) // 2
        parents[depth:] = [name]
        if parents[0] in PACKAGES:
            named.add("/".join(parents))
    there = {
        str(init.parent.relative_to(ROOT))
        for package in PACKAGES
        for init in (ROOT / package).rglob("__init__.py")
    }
    assert named == there
