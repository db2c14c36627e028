import re

from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.job import is_immediate, job_id_of
from providers.resource_names import NATIVE_ID


@given(st.text(), st.text())
def test_a_key_has_one_id(creation_key: str, other: str) -> None:
    assert is_immediate(job_id_of(creation_key))
    assert (job_id_of(creation_key) == job_id_of(other)) is (creation_key == other)


@given(st.from_regex(re.compile(r"[a-z0-9]{12}"), fullmatch=True))
def test_no_id_of_bedrocks_is_one_of_ours(native: str) -> None:
    assert not is_immediate(native)


def test_it_is_one_segment_of_a_resource_name_and_of_an_objects_name() -> None:
    job_id = job_id_of("mark")
    assert NATIVE_ID.fullmatch(job_id)
    assert re.fullmatch(r"[a-z0-9-]+", job_id)
    assert not is_immediate(job_id + "\n")
    assert not is_immediate(f"x/{job_id}")
