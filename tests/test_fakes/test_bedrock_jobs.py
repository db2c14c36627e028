"""A job's life at the fake Bedrock: progress, stop, list."""

from typing import Any

import pytest

from .fake_bedrock_client import FakeBedrockClient, refused

# --- progress --------------------------------------------------------------------------------


def test_each_get_advances_it_by_one_state(bedrock: FakeBedrockClient, job: str) -> None:
    states = [bedrock.get(job) for _ in range(5)]
    assert [state["status"] for state in states] == [
        "Validating",
        "Scheduled",
        "InProgress",
        "Completed",
        "Completed",
    ]
    assert ["totalRecordCount" in state for state in states] == [False, True, True, True, True]
    assert ["endTime" in state for state in states] == [False, False, False, True, True]
    counts = ("totalRecordCount", "processedRecordCount", "successRecordCount", "errorRecordCount")
    assert [states[1][count] for count in counts] == [10, 0, 0, 0]
    assert [states[3][count] for count in counts] == [10, 10, 10, 0]


def test_it_is_found_by_its_arn(bedrock: FakeBedrockClient, job: str) -> None:
    arn = bedrock.get(job)["jobArn"]
    assert arn == f"arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/{job}"
    assert bedrock.get(arn)["jobArn"] == arn


def test_another_id_is_not_found_and_a_wrong_one_refused(bedrock: FakeBedrockClient) -> None:
    answer = refused(bedrock.bedrock.get_model_invocation_job, jobIdentifier="a" * 12)
    assert (answer.status, answer.code) == (404, "ResourceNotFoundException")
    answer = refused(bedrock.bedrock.get_model_invocation_job, jobIdentifier="a" * 11)
    assert (answer.status, answer.code) == (400, "ValidationException")


def test_a_held_job_stays(bedrock: FakeBedrockClient, job: str) -> None:
    bedrock.steer(job, hold="InProgress")
    assert [bedrock.get(job)["status"] for _ in range(4)][2:] == ["InProgress"] * 2
    bedrock.steer(job, hold=None)
    assert bedrock.get(job)["status"] == "Completed"


@pytest.mark.parametrize(
    ("status", "written"),
    [("Completed", 10), ("PartiallyCompleted", 5), ("Stopped", 5), ("Expired", 0), ("Failed", 0)],
)
def test_every_end_can_be_reached(
    bedrock: FakeBedrockClient, job: str, status: str, written: int
) -> None:
    bedrock.steer(job, status="InProgress")
    bedrock.steer(job, status=status)
    ended = bedrock.get(job)
    assert (ended["status"], "endTime" in ended) == (status, True)
    if written:
        assert len(bedrock.output(job)) == written
        assert ended["processedRecordCount"] == written
    else:
        assert bedrock.control("objects")["files"] == ["in/a.jsonl"]


def test_a_test_sets_its_progress_and_why_it_failed(bedrock: FakeBedrockClient, job: str) -> None:
    bedrock.steer(job, status="Completed", reached=7)
    assert len(bedrock.output(job)) == 7
    other = bedrock.create()
    bedrock.steer(other, status="Failed", message="For a reason.")
    assert bedrock.get(other)["message"] == "For a reason."


# --- stop ------------------------------------------------------------------------------------


def test_it_stops_with_the_results_so_far(bedrock: FakeBedrockClient, job: str) -> None:
    bedrock.steer(job, status="InProgress")
    bedrock.bedrock.stop_model_invocation_job(jobIdentifier=job)
    answer = refused(bedrock.bedrock.stop_model_invocation_job, jobIdentifier=job)
    assert (answer.status, answer.code) == (400, "ConflictException")
    assert bedrock.ended(job)["status"] == "Stopped"
    assert len(bedrock.output(job)) == 5


def test_a_job_that_never_started_stops_without_output(
    bedrock: FakeBedrockClient, job: str
) -> None:
    arn = bedrock.get(job)["jobArn"]
    bedrock.bedrock.stop_model_invocation_job(jobIdentifier=arn)
    assert bedrock.ended(job)["status"] == "Stopped"
    assert bedrock.control("objects")["files"] == ["in/a.jsonl"]


def test_an_ended_job_cannot_be_stopped(bedrock: FakeBedrockClient, job: str) -> None:
    bedrock.ended(job)
    answer = refused(bedrock.bedrock.stop_model_invocation_job, jobIdentifier=job)
    assert (answer.status, answer.code) == (400, "ConflictException")


# --- list ------------------------------------------------------------------------------------


def names(page: dict[str, Any]) -> list[str]:
    return [job["jobName"] for job in page["invocationJobSummaries"]]


def test_pages_follow_one_another(bedrock: FakeBedrockClient) -> None:
    for name in "abcde":
        bedrock.create(jobName=name)
    ask = bedrock.bedrock.list_model_invocation_jobs
    first = ask(maxResults=2)
    assert set("+/=") <= set(first["nextToken"])
    second = ask(maxResults=2, nextToken=first["nextToken"])
    third = ask(maxResults=2, nextToken=second["nextToken"])
    assert [names(page) for page in (first, second, third)] == [["e", "d"], ["c", "b"], ["a"]]
    assert "nextToken" not in third
    for other in ({"nextToken": "AAAA"}, {"nextToken": first["nextToken"], "nameContains": "a"}):
        assert refused(ask, **other).code == "ValidationException"


def test_it_is_filtered_and_sorted(bedrock: FakeBedrockClient) -> None:
    for name in ("one", "two", "three"):
        bedrock.create(jobName=name)
    ask = bedrock.bedrock.list_model_invocation_jobs
    three, two, one = ask()["invocationJobSummaries"]
    bedrock.steer(two["jobArn"].rpartition("/")[2], status="Expired")
    assert names(ask(sortBy="CreationTime", sortOrder="Ascending")) == ["one", "two", "three"]
    assert names(ask(nameContains="t")) == ["three", "two"]
    assert names(ask(statusEquals="Expired")) == ["two"]
    # botocore cuts the time to a whole second, so these two are sent without it.
    path = "/model-invocation-jobs?submitTimeAfter="
    moment = one["submitTime"].strftime("%Y-%m-%dT%H%%3A%M%%3A%S.%f%z").replace("+", "%2B")
    assert names(bedrock.send("GET", path + moment).document) == ["three", "two"]
    before = path.replace("After", "Before")
    assert names(bedrock.send("GET", before + moment).document) == []
    assert three["jobName"] == "three"


@pytest.mark.parametrize(
    "query", ["maxResults=0", "maxResults=x", "sortBy=Name", "limit=2", "submitTimeAfter=noon"]
)
def test_an_invalid_list_is_refused(bedrock: FakeBedrockClient, query: str) -> None:
    answer = bedrock.send("GET", f"/model-invocation-jobs?{query}")
    assert (answer.status, answer.error) == (400, "ValidationException")
