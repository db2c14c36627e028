"""The annotations of an OpenAI text -> Gemini's CitationSources.

Unverified: that OpenAI's indexes count Unicode code points, and that `end_index` is one past the
last character. Its specification says "the index of the last character"; public code uses it as an
exclusive end. A real answer with citations would verify both.
"""

from typing import Any

from providers.gemini_content.candidate import Candidate
from providers.gemini_content.citations import Segment
from providers.json_api.answer_shape import as_object, count_or_none, present, text_or_none


def cite_annotations(
    candidate: Candidate, segment: Segment, annotations: list[Any], where: str
) -> None:
    """Add the citations of the text `segment`. Those without URL and position are left out."""
    citations: list[dict[str, Any]] = []
    for index, annotation in enumerate(annotations):
        with candidate.reading():
            citations.append(_citation(as_object(annotation, f"{where}[{index}]")))
    ends = [(_place(each, "start_index"), _place(each, "end_index")) for each in citations]
    offsets = segment.offsets(place for pair in ends for place in pair if place is not None)
    candidate.add_citations(
        _source(citation, offsets, start, end)
        for citation, (start, end) in zip(citations, ends, strict=True)
    )


def _citation(annotation: dict[str, Any]) -> dict[str, Any]:
    """Chat completions nest the members in `url_citation`; the Responses API does not."""
    nested = annotation.get("url_citation")
    return nested if isinstance(nested, dict) else annotation


def _place(citation: dict[str, Any], name: str) -> int | None:
    return count_or_none(citation.get(name))


def _source(
    citation: dict[str, Any], offsets: dict[int, int], start: int | None, end: int | None
) -> dict[str, Any]:
    uri = text_or_none(citation.get("url"))
    if start is None or end is None or start > end or not {start, end} <= offsets.keys():
        return present({"uri": uri})
    return present({"startIndex": offsets[start], "endIndex": offsets[end], "uri": uri})
