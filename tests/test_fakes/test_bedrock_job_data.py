"""What a job of the fake Bedrock reads from S3 and writes there."""

import asyncio
import json
from typing import Any

import pytest

from tests.fakes.bedrock import Quotas, Serving, serving_bedrock
from tests.fakes.s3 import FILES_BUCKET

from .fake_bedrock_client import RECORDS, FakeBedrockClient, fake_bedrock_client, lines, said


def input_at(uri: str, **more: Any) -> dict[str, Any]:
    return {"s3InputDataConfig": {"s3Uri": uri, **more}}


def failure(bedrock: FakeBedrockClient, uri: str, **more: Any) -> str:
    job = bedrock.create(inputDataConfig=input_at(uri, **more))
    ended = bedrock.ended(job)
    assert ended["status"] == "Failed"
    return str(ended["message"])


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (f"s3://{FILES_BUCKET}/in/absent.jsonl", "no .jsonl input"),
        (f"s3://{FILES_BUCKET}/in/absent/", "no .jsonl input"),
        (f"s3://{FILES_BUCKET}/in/a.txt", "neither"),
        (f"s3://{FILES_BUCKET}/in", "neither"),
        ("s3://no-such-bucket/in/a.jsonl", "NoSuchBucket"),
    ],
)
def test_a_missing_input_fails_the_job(bedrock: FakeBedrockClient, uri: str, message: str) -> None:
    bedrock.put("in/a.txt", b"")
    assert message in failure(bedrock, uri)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lines(RECORDS[:1]), "(1) than the required minimum of: 2"),
        (b"", "(0) than the required minimum of: 2"),
        (lines(RECORDS) + b"{", "a.jsonl, line 11: not valid JSON"),
        (b"\n" + lines(RECORDS), "a.jsonl, line 1: not valid JSON"),
        (lines([*RECORDS, []]), "line 11: a record must be"),
        (lines([*RECORDS, {"recordId": "a"}]), "line 11: a record must be"),
        (lines([*RECORDS, {"recordId": 1, "modelInput": {}}]), "must be a string"),
        (lines([*RECORDS, {"key": "a", "modelInput": {}}]), "no members but"),
    ],
)
def test_an_invalid_input_fails_the_job(
    bedrock: FakeBedrockClient, content: bytes, message: str
) -> None:
    bedrock.put("in/a.jsonl", content)
    assert message in failure(bedrock, f"s3://{FILES_BUCKET}/in/a.jsonl")


def test_the_minimum_number_of_records_is_a_setting(bedrock: FakeBedrockClient, job: str) -> None:
    bedrock.control("settings", {"min_records": 11})
    assert "(10) than the required minimum of: 11" in bedrock.ended(job)["message"]


def test_the_bucket_of_another_account_fails_the_job(bedrock: FakeBedrockClient, job: str) -> None:
    uri = f"s3://{FILES_BUCKET}/in/a.jsonl"
    assert "AccessDenied" in failure(bedrock, uri, s3BucketOwner="000000000000")


def test_a_missing_output_bucket_fails_the_job(bedrock: FakeBedrockClient, job: str) -> None:
    output = {"s3OutputDataConfig": {"s3Uri": "s3://no-such-bucket/out/"}}
    ended = bedrock.ended(bedrock.create(outputDataConfig=output))
    assert (ended["status"], "s3://no-such-bucket/out/" in ended["message"]) == ("Failed", True)


LONG = len(lines(RECORDS))


@pytest.mark.parametrize(
    "quotas",
    [
        Quotas(records_per_file=9),
        Quotas(records_per_job=9),
        Quotas(file_bytes=LONG - 1),
        Quotas(job_bytes=LONG - 1),
    ],
    ids=str,
)
async def test_quotas_bound_records_and_bytes(quotas: Quotas) -> None:
    async with serving_bedrock(min_records=1, quotas=quotas) as serving:
        message = await asyncio.to_thread(_failure_at, serving)
    assert "quota allows" in message


def _failure_at(serving: Serving) -> str:
    with fake_bedrock_client(serving.url, serving.s3_url) as work:
        work.put("in/a.jsonl", lines(RECORDS))
        return failure(work, f"s3://{FILES_BUCKET}/in/a.jsonl")


# --- output ----------------------------------------------------------------------------------


def test_the_output_is_beside_a_manifest_and_out_of_order(
    bedrock: FakeBedrockClient, job: str
) -> None:
    bedrock.ended(job)
    written = bedrock.output(job)
    assert written != sorted(written, key=lambda line: str(line["recordId"]))
    assert {line["recordId"]: line["modelInput"] for line in written} == {
        line["recordId"]: line["modelInput"] for line in RECORDS
    }
    manifest = json.loads(bedrock.read(f"out/{job}/manifest.json.out"))
    assert manifest.pop("inputTokenCount") > 0
    assert manifest.pop("outputTokenCount") == 30
    assert manifest == {
        "totalRecordCount": 10,
        "processedRecordCount": 10,
        "successRecordCount": 10,
        "errorRecordCount": 0,
    }


def test_a_folder_is_read_whole_and_its_folders_are_kept(bedrock: FakeBedrockClient) -> None:
    for key in ("in/a.jsonl", "in/below/b.jsonl", "in/notes.txt", "inner.jsonl"):
        bedrock.put(key, lines(RECORDS))
    job = bedrock.create(inputDataConfig=input_at(f"s3://{FILES_BUCKET}/in/"))
    assert bedrock.ended(job)["totalRecordCount"] == 20
    made = [key for key in bedrock.control("objects")["files"] if key.startswith("out/")]
    assert made == [
        f"out/{job}/a.jsonl.out",
        f"out/{job}/below/b.jsonl.out",
        f"out/{job}/manifest.json.out",
    ]


def test_a_record_without_an_id_gets_one(bedrock: FakeBedrockClient) -> None:
    bedrock.put("in/a.jsonl", lines([{"modelInput": said("a")}, {"modelInput": said("b")}]))
    job = bedrock.create()
    bedrock.ended(job)
    assert {line["recordId"] for line in bedrock.output(job)} == {"REC00000000", "REC00000001"}


def test_single_records_fail_or_are_lost(bedrock: FakeBedrockClient) -> None:
    texts = ["fine", "please fail", "please lose"]
    written = bedrock.run(*(said(text) for text in texts))
    assert [line["recordId"] for line in written] == ["record00000", "record00001"]
    assert written[1]["error"] == {"errorCode": 400, "errorMessage": "The request asked to fail."}
    assert "modelOutput" not in written[1]
