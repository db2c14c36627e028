"""The fake Bedrock and its S3, called by botocore's clients over real sockets."""

import http.client
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.fakes.bedrock import LONG_TERM, REGION, ROLE_ARN, KeyPair
from tests.fakes.s3 import FILES_BUCKET

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ENDED = {"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def error(self) -> str:
        """The error's type, without the suffix."""
        return self.headers.get("x-amzn-errortype", "").partition(":")[0]


@dataclass(frozen=True)
class Refused:
    status: int
    code: str
    message: str


def refused(call: Callable[..., Any], **parameters: Any) -> Refused:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return Refused(status, answer["Error"]["Code"], answer["Error"]["Message"])


def said(text: str) -> dict[str, Any]:
    """The body of a Converse request that asks `text`."""
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def record(number: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"recordId": f"record{number:05}", "modelInput": body}


def lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


RECORDS = [record(number, said(f"question {number}")) for number in range(10)]


class FakeBedrockClient:
    def __init__(self, url: str, s3_url: str) -> None:
        self.url = url
        self.s3_url = s3_url
        self._session = botocore.session.Session()
        self._names = itertools.count(1)
        self._clients: list[Any] = []
        self.bedrock = self.client("bedrock")
        self.runtime = self.client("bedrock-runtime")
        self.s3 = self.client("s3")

    def client(self, service: str, pair: KeyPair = LONG_TERM) -> Any:
        made: Any = self._session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self.s3_url if service == "s3" else self.url,
            aws_access_key_id=pair.access_key_id,
            aws_secret_access_key=pair.secret_access_key,
            aws_session_token=pair.session_token,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        self._clients.append(made)
        return made

    def close(self) -> None:
        for client in self._clients:
            client.close()

    # --- jobs ---

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=FILES_BUCKET, Key=key, Body=content)

    def job(self, **changes: Any) -> dict[str, Any]:
        """The parameters of a Converse job over `in/a.jsonl`; None removes a parameter."""
        usual = {
            "jobName": f"job-{next(self._names)}",
            "roleArn": ROLE_ARN,
            "modelId": CLAUDE,
            "modelInvocationType": "Converse",
            "inputDataConfig": {"s3InputDataConfig": {"s3Uri": f"s3://{FILES_BUCKET}/in/a.jsonl"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{FILES_BUCKET}/out/"}},
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def create(self, **changes: Any) -> str:
        """Creates a job; returns its id."""
        arn: str = self.bedrock.create_model_invocation_job(**self.job(**changes))["jobArn"]
        return arn.rpartition("/")[2]

    def get(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.bedrock.get_model_invocation_job(jobIdentifier=job)
        return found

    def ended(self, job: str) -> dict[str, Any]:
        while (found := self.get(job))["status"] not in ENDED:
            pass
        return found

    def output(self, job: str, name: str = "a.jsonl.out") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(f"out/{job}/{name}").splitlines()]

    def read(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=FILES_BUCKET, Key=key)["Body"].read()
        return content

    def run(self, *bodies: Mapping[str, Any], **changes: Any) -> list[dict[str, Any]]:
        """Runs a job over `bodies`; returns its lines in the same order."""
        self.put("in/a.jsonl", lines([record(*numbered) for numbered in enumerate(bodies)]))
        job = self.create(**changes)
        assert self.ended(job)["status"] == "Completed"
        return sorted(self.output(job), key=lambda line: str(line["recordId"]))

    def one(self, body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """The output line of `body`, in a job that also has a second, valid record."""
        return self.run(body, said("another"), **changes)[0]

    def error(self, body: Mapping[str, Any], **changes: Any) -> str:
        """The message of the error of that record."""
        refused = self.one(body, **changes)["error"]
        assert refused["errorCode"] == 400
        return str(refused["errorMessage"])

    # --- requests that botocore's clients never make ---

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        pair: KeyPair = LONG_TERM,
        region: str = REGION,
        service: str = "bedrock",
    ) -> Answer:
        """Sends a request signed over all of `headers`."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        credentials = Credentials(pair.access_key_id, pair.secret_access_key, pair.session_token)
        request = AWSRequest(method, self.url + path, {**kind, **(headers or {})}, data=content)
        SigV4Auth(credentials, service, region).add_auth(request)
        return self.send_unchanged(method, path, content, dict(request.headers))

    def send_unchanged(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> Answer:
        return _send(self.url, method, path, content, headers)

    def control(self, path: str, order: Any = None, /, **query: str) -> Any:
        target = f"/_fake/{path}" + (f"?{urlencode(query)}" if query else "")
        method, content = ("GET", b"") if order is None else ("POST", json.dumps(order).encode())
        answer = _send(self.url, method, target, content, {"Content-Type": "application/json"})
        assert answer.status == 200, answer
        return answer.document

    def steer(self, job: str, **order: Any) -> None:
        self.control(f"batches/{job}", order)


def _send(url: str, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    try:
        connection.request(method, path, content or None, dict(headers))
        reply = connection.getresponse()
        text = reply.read()
        kept = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, kept, json.loads(text) if text else None)
    finally:
        connection.close()


@contextmanager
def fake_bedrock_client(url: str, s3_url: str) -> Iterator[FakeBedrockClient]:
    work = FakeBedrockClient(url, s3_url)
    try:
        yield work
    finally:
        work.close()
