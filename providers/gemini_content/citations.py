"""Gemini's CitationSources: which bytes of an answer's text a source belongs to.

Google counts bytes of UTF-8 from the start of the candidate's text; the end is exclusive. The text
is that of all parts except thoughts, joined as in the SDKs' `response.text`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from providers.json_api.answer_shape import present

_CHARACTERS_AT_ONCE: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a candidate's text. `start` and `end` count bytes of the candidate's text."""

    text: str
    start: int
    end: int

    def source(self, uri: str | None) -> dict[str, Any]:
        """A source for the whole piece. Without a URI it still marks the piece as cited."""
        return present({"startIndex": self.start, "endIndex": self.end, "uri": uri})

    def offsets(self, characters: Iterable[int]) -> dict[int, int]:
        """Maps character positions in the piece to byte offsets; others are left out."""
        found: dict[int, int] = {}
        at, offset = 0, self.start
        for position in sorted(set(characters)):
            if 0 <= position <= len(self.text):
                offset += utf8_length(self.text, at, position)
                at = position
                found[position] = offset
        return found


def joined(segments: Sequence[Segment]) -> Segment:
    """Adjacent pieces as one."""
    if not segments:
        return Segment("", 0, 0)
    text = segments[0].text if len(segments) == 1 else "".join(each.text for each in segments)
    return Segment(text, segments[0].start, segments[-1].end)


def utf8_length(text: str, start: int = 0, end: int | None = None) -> int:
    """The number of bytes of `text[start:end]` in UTF-8, encoded in limited pieces."""
    end = len(text) if end is None else end
    if text.isascii():
        return end - start
    return sum(
        len(text[at : min(at + _CHARACTERS_AT_ONCE, end)].encode(errors="surrogatepass"))
        for at in range(start, end, _CHARACTERS_AT_ONCE)
    )
