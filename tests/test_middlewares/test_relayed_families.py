"""Which calls are of a family that only Gemini's protocol has, and how they are refused."""

import re

import pytest

from middlewares.relayed_families import FAMILIES, family_of, refuse_family
from tests.test_middlewares.running_chain import (
    Scripted,
    ScriptedReply,
    running_chain,
    scripted_provider,
)

KEY = {"x-goog-api-key": "a"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cachedContents", "cachedContents"),
        ("fileSearchStores:list", "fileSearchStores"),
        ("models/a:b:predict", "predict"),
        ("models/a/operations", "predictLongRunning"),
        ("ws/google.ai.generativelanguage.v1alpha.GenerativeService.Bidi", "live"),
    ],
)
def test_the_family_of_a_path(path: str, name: str) -> None:
    family = family_of(path)
    assert family is not None
    assert family.name == name


@pytest.mark.parametrize(
    "path",
    [
        "cachedContentsX",
        "models/predict",
        "models/m:predictX",
        "models/m:generateContent",
        "files/agents",
        "batches/interactions",
        "models/operations",
        "",
    ],
)
def test_a_path_of_no_family(path: str) -> None:
    assert family_of(path) is None
    assert refuse_family(f"v1/{path}", "p", ["gemini"]) is None


def test_who_has_it() -> None:
    said = [str(refuse_family("v1/voices", "p", names)) for names in ([], ["a"], ["a", "b"])]
    heads = [text.partition(":")[0] for text in said]
    assert heads == [
        "voices is not served on p; no provider here has it",
        "voices is not served on p; only a has it",
        "voices is not served on p; only a or b has it",
    ]


def test_every_row_says_why_and_what_works() -> None:
    assert all(family.reason and family.instead for family in FAMILIES)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert all(re.search(r"[a-z)]$", family.instead) for family in FAMILIES)


@pytest.mark.parametrize(
    "path", ["cachedContents", "models/m:predict", "models/m/operations/o", "models", "models/m"]
)
async def test_where_it_is_served_it_is_relayed(path: str) -> None:
    relay = Scripted(lambda *_: ScriptedReply(body=b"Google's own"))
    provider = scripted_provider("gemini", relay=relay)
    async with running_chain(provider) as client:
        async with client.get(f"/genai/v1/{path}", headers=KEY) as reply:
            assert await reply.read() == b"Google's own"
