import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.immediate.job_ids import is_immediate, job_id_of, new_job_id
from providers.resource_names import NATIVE_ID

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@given(TIMES, st.integers(1, 10**9))
def test_a_later_id_sorts_first(now: datetime, later: int) -> None:
    earlier, after = new_job_id(now), new_job_id(now + timedelta(milliseconds=later))
    assert after < earlier
    assert is_immediate(earlier)


def test_ids_of_one_moment_differ() -> None:
    now = datetime.now(UTC)
    assert len({new_job_id(now) for _ in range(100)}) == 100


@given(st.text(), st.text())
def test_a_mark_has_one_id(mark: str, other: str) -> None:
    assert is_immediate(job_id_of(mark))
    assert (job_id_of(mark) == job_id_of(other)) is (mark == other)


@given(st.from_regex(re.compile(r"[a-z0-9]{12}"), fullmatch=True))
def test_no_id_of_bedrocks_is_one_of_ours(native: str) -> None:
    assert not is_immediate(native)


def test_it_is_one_segment_of_a_resource_name_and_of_an_objects_name() -> None:
    job_id = new_job_id(datetime.now(UTC))
    assert NATIVE_ID.fullmatch(job_id)
    assert re.fullmatch(r"[a-z0-9-]+", job_id)
    assert not is_immediate(job_id + "\n")
    assert not is_immediate(f"x/{job_id}")
