"""Creating a job at the fake Bedrock: botocore's model of the service, names, tokens, role."""

from typing import Any

import pytest

from tests.fakes.bedrock import ROLE_ARN

from .fake_bedrock_client import FakeBedrockClient, refused

CREATE = "/model-invocation-job"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/"


def s3(kind: str, uri: str, **more: Any) -> dict[str, Any]:
    return {f"s3{kind}DataConfig": {"s3Uri": uri, **more}}


@pytest.mark.parametrize(
    "name",
    ["jobName", "roleArn", "modelId", "inputDataConfig", "outputDataConfig"],
)
def test_a_missing_required_member_is_refused(bedrock: FakeBedrockClient, name: str) -> None:
    answer = bedrock.send("POST", CREATE, bedrock.job(**{name: None}))
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert name in answer.document["message"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"surprise": 1}, "surprise"),
        ({"jobName": ""}, "jobName"),
        ({"jobName": 1}, "jobName"),
        ({"jobName": "a b"}, "jobName"),
        ({"jobName": "-a"}, "jobName"),
        ({"jobName": "a" + "-" * 40 + "_"}, "jobName"),
        ({"jobName": "a" * 64}, "jobName"),
        ({"roleArn": "arn:aws:iam::1:role/x"}, "roleArn"),
        ({"modelId": "a model"}, "modelId"),
        ({"modelId": "x" * 2049}, "modelId"),
        ({"clientRequestToken": "a b"}, "clientRequestToken"),
        ({"modelInvocationType": "Chat"}, "modelInvocationType"),
        ({"timeoutDurationInHours": 23}, "timeoutDurationInHours"),
        ({"timeoutDurationInHours": 24.5}, "timeoutDurationInHours"),
        ({"tags": [{"key": "a"}]}, "tags[0].value"),
        ({"tags": [{"key": "a", "value": "ä"}]}, "tags[0].value"),
        ({"inputDataConfig": {}}, "inputDataConfig"),
        ({"inputDataConfig": s3("Input", "s3://a-bucket/a b.jsonl")}, "s3Uri"),
        ({"inputDataConfig": s3("Input", "s3://a-bucket/a+b.jsonl")}, "s3Uri"),
        ({"inputDataConfig": s3("Input", "s3://a-bucket/a//b.jsonl")}, "s3Uri"),
        ({"inputDataConfig": s3("Input", "s3://a-bucket/" + "a" * 1024)}, "s3Uri"),
        ({"inputDataConfig": s3("Input", "s3://a-bucket/a", s3InputFormat="CSV")}, "Format"),
        ({"outputDataConfig": s3("Output", "https://a-bucket/a")}, "s3Uri"),
    ],
)
def test_a_request_against_the_service_model_is_refused(
    bedrock: FakeBedrockClient, changes: dict[str, Any], where: str
) -> None:
    answer = bedrock.send("POST", CREATE, bedrock.job(**changes))
    assert (answer.status, answer.error) == (400, "ValidationException")
    assert where in answer.document["message"]
    assert bedrock.control("objects")["batches"] == []


def test_a_body_that_is_not_a_json_object_is_refused(bedrock: FakeBedrockClient) -> None:
    assert bedrock.send("POST", CREATE, []).error == "ValidationException"
    assert bedrock.send("POST", CREATE).error == "ValidationException"
    assert bedrock.send("POST", f"{CREATE}?a=b", bedrock.job()).error == "ValidationException"


def test_a_role_that_cannot_be_passed_is_refused(bedrock: FakeBedrockClient) -> None:
    job = bedrock.job(roleArn="arn:aws:iam::123456789012:role/other")
    answer = refused(bedrock.bedrock.create_model_invocation_job, **job)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert "is not authorized to perform: iam:PassRole on resource: arn:aws" in answer.message


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.anthropic.claude-opus-4-6-v1",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.meta.llama3-3-70b-instruct-v1:0",
        f"{PROFILE}ferrytests01",
        "openai.gpt-oss-120b-1:0",
    ],
)
def test_a_model_has_several_names(bedrock: FakeBedrockClient, model: str) -> None:
    assert bedrock.get(bedrock.create(modelId=model))["modelId"] == model


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "us.gpt-4o",
        "anthropic.claude-2-v1",
        f"{PROFILE}another00001",
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0",
    ],
)
def test_an_unknown_model_is_refused(bedrock: FakeBedrockClient, model: str) -> None:
    answer = refused(bedrock.bedrock.create_model_invocation_job, **bedrock.job(modelId=model))
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert answer.message == "The provided model identifier is invalid."


def test_an_embedding_model_does_not_converse(bedrock: FakeBedrockClient) -> None:
    job = bedrock.job(modelId="amazon.titan-embed-text-v2:0")
    assert refused(bedrock.bedrock.create_model_invocation_job, **job).code == "ValidationException"


def test_a_name_can_be_used_once(bedrock: FakeBedrockClient) -> None:
    job = bedrock.job()
    bedrock.bedrock.create_model_invocation_job(**job)
    answer = refused(bedrock.bedrock.create_model_invocation_job, **job)
    assert (answer.status, answer.code) == (400, "ConflictException")


def test_the_same_token_creates_one_job(bedrock: FakeBedrockClient) -> None:
    job = bedrock.job(clientRequestToken="once")
    first, again = (bedrock.bedrock.create_model_invocation_job(**job) for _ in range(2))
    assert first["jobArn"] == again["jobArn"]
    assert len(bedrock.control("objects")["batches"]) == 1
    answer = refused(
        bedrock.bedrock.create_model_invocation_job, **job | {"timeoutDurationInHours": 48}
    )
    assert (answer.status, answer.code) == (400, "ConflictException")


def test_a_new_job_shows_its_parameters(bedrock: FakeBedrockClient) -> None:
    job = bedrock.job(modelInvocationType=None, tags=[{"key": "a", "value": "b"}])
    bedrock.bedrock.create_model_invocation_job(**job, clientRequestToken="t")
    [shown] = bedrock.bedrock.list_model_invocation_jobs()["invocationJobSummaries"]
    assert {name: shown[name] for name in job if name != "tags"} == {
        name: value for name, value in job.items() if name != "tags"
    }
    assert (shown["status"], shown["clientRequestToken"]) == ("Submitted", "t")
    assert (shown["modelInvocationType"], shown["roleArn"]) == ("InvokeModel", ROLE_ARN)
    assert (shown["jobExpirationTime"] - shown["submitTime"]).total_seconds() == 24 * 3600
    assert "tags" not in shown
    assert "totalRecordCount" not in shown
