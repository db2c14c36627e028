import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import orjson
import pytest

from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.provider import NameForms
from providers.resources import AnswerStream, Counted, Generated, Prompt
from providers.status import Status
from providers.tenancy.isolated_prompts import IsolatedPrompts, IsolatedTokens, NamedFiles
from providers.tenancy.ownership import Ownership, owned_file
from providers.tenancy.references import References
from tests.memory_state import MemoryState

ANN, BOB = (Caller(Credential(), tenant) for tenant in ("ann", "bob"))
FILE = "file-a"
NAMES = NameForms(
    re.compile(r"file-\w+"),
    re.compile(r"batch_\w+"),
    distinctive=True,
    shared={"container": re.compile("c_.*")},
)

Calls: TypeAlias = Mapping[str, Callable[[Caller, Prompt], Awaitable[object]]]
EACH = pytest.mark.parametrize("call", ["generate", "stream", "count"])


class Inner:
    """Answers everything, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def count(self, *_: Any) -> Counted:
        self.asked += 1
        return Counted(7)

    async def generate(self, *_: Any) -> Generated:
        self.asked += 1
        return Generated(b"{}")

    async def stream(self, *_: Any) -> AnswerStream:
        self.asked += 1
        chunks: Any = None
        return AnswerStream(chunks)


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
async def calls(inner: Inner) -> Calls:
    """Ann owns the file."""
    ownership = Ownership("openai", MemoryState())
    await ownership.claim(ANN.tenant, owned_file(FILE))
    names = NamedFiles(ownership, References(NAMES, owned_file), MemoryBudget())
    prompts, tokens = IsolatedPrompts(inner, names), IsolatedTokens(inner, names)
    return {"generate": prompts.generate, "stream": prompts.stream, "count": tokens.count}


def naming(uri: str) -> Prompt:
    parts = [{"fileData": {"fileUri": uri}}]
    return Prompt("m", orjson.dumps({"contents": [{"parts": parts}]}))


@EACH
async def test_a_tenant_names_its_own_files(calls: Calls, inner: Inner, call: str) -> None:
    await calls[call](ANN, naming(f"files/{FILE}"))
    assert inner.asked == 1


@EACH
@pytest.mark.parametrize(
    "prompt",
    [
        naming(f"files/{FILE}"),
        naming(f"https://ferry.example/genai/v1beta/files/{FILE}"),
        Prompt("m", b'{"tools": [{"container": "c_1"}]}'),
    ],
    ids=["name", "uri", "shared object"],
)
async def test_and_nothing_of_others(calls: Calls, inner: Inner, call: str, prompt: Prompt) -> None:
    with pytest.raises(FerryError) as refused:
        await calls[call](BOB, prompt)
    assert refused.value.status == Status.INVALID_ARGUMENT
    assert refused.value.path in ("contents[0].parts[0].fileData.fileUri", "tools[0].container")
    assert inner.asked == 0


async def test_what_is_no_json_is_refused_here(calls: Calls, inner: Inner) -> None:
    with pytest.raises(FerryError) as refused:
        await calls["generate"](BOB, Prompt("m", b"[]"))
    assert (refused.value.path, inner.asked) == ("body", 0)
