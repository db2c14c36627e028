"""Each target accepts its corpus and what hypothesis makes of it; `make fuzz-parsers` is longer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.parsers import TARGETS, Target

WORDS = (b"", b"\x00", b"\xff", b'"', b"{", b"[", b"}", b":", b",", b"null", b"1e999", b"\\ud800")


@st.composite
def mutations(draw: st.DrawFn, target: Target) -> bytes:
    """An example of the corpus with up to four pieces of it replaced."""
    data = draw(st.sampled_from(target.corpus))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        data = data[:at] + draw(st.sampled_from(WORDS) | st.binary(max_size=8)) + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_accepts_its_corpus(name: str) -> None:
    for example in TARGETS[name].corpus:
        TARGETS[name].run(example)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_raises_only_what_it_promises(name: str) -> None:
    target = TARGETS[name]

    @given(mutations(target) | st.binary(max_size=200))
    def mutated(data: bytes) -> None:
        target.run(data)

    mutated()
