from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from providers.anthropic.files import AnthropicFiles
from providers.resource_names import native_file_id
from providers.resources import File
from providers.uploads.native_files import FileRecords
from providers.uploads.staged_files import StagedFiles, new_staged_id, staged_file_id
from providers.upstream import OutboundRequest
from tests.memory_state import MemoryState
from tests.test_providers.answering import answer
from tests.test_providers.test_anthropic.answering import CALLER, client
from tests.test_providers.test_gemini.scripted_upstream import ScriptedReply


class Listing:
    """The files at Anthropic, in both shapes, at most `at_most` on a page."""

    def __init__(self, ids: Sequence[str], at_most: int, *, beta: bool) -> None:
        self.ids = ids
        self.at_most = at_most
        self.beta = beta

    async def send(self, request: OutboundRequest) -> ScriptedReply:
        query = request.url.query
        assert int(query["limit"]) > 0
        start = int(query["page"]) if "page" in query else 0
        if "after_id" in query:
            start = self.ids.index(query["after_id"]) + 1
        end = start + min(int(query["limit"]), self.at_most)
        page = [{"id": name} for name in self.ids[start:end]]
        more = end < len(self.ids)
        if self.beta:
            last = page[-1]["id"] if page else None
            return ScriptedReply(answer({"data": page, "has_more": more, "last_id": last}))
        return ScriptedReply(answer({"data": page, "next_page": str(end) if more else None}))


def files(upstream: Listing, state: MemoryState) -> tuple[AnthropicFiles, StagedFiles]:
    staged = StagedFiles("anthropic", state, timedelta(1))
    return AnthropicFiles(client(upstream), FileRecords("a", state), staged), staged


@given(st.integers(0, 5), st.integers(0, 5), st.integers(1, 6), st.integers(1, 6), st.booleans())
async def test_every_file_is_on_one_page(
    kept: int, sent: int, page_size: int, at_most: int, beta: bool
) -> None:
    native = [f"file_{number}" for number in range(sent)]
    ours, staged = files(Listing(native, at_most, beta=beta), MemoryState())
    expected = sorted(new_staged_id() for _ in range(kept))
    for staged_id in expected:
        await staged.record(CALLER, staged_id, File(staged_file_id(staged_id)))
    seen: list[str] = []
    token: str | None = None
    while True:
        page = await ours.list(CALLER, page_size, token)
        assert len(page.items) <= page_size
        seen += [file.id for file in page.items]
        token = page.next_page_token
        if token is None:
            break
        assert page.items
    assert seen == [staged_file_id(i) for i in expected] + [native_file_id(n) for n in native]
