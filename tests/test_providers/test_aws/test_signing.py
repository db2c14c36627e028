from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from providers.aws.keys import AwsKeys
from providers.aws.signing import (
    BEDROCK,
    S3,
    aws_url,
    encode_key,
    encode_segment,
    presigned,
    signed,
)
from providers.upstream import OutboundRequest
from tests.fakes.aws_keys import LONG_TERM, REGION
from tests.fakes.s3.refusals import S3Refusal
from tests.fakes.s3.signatures import Signed, check_signature

KEYS = AwsKeys(LONG_TERM.access_key_id, LONG_TERM.secret_access_key)
BASE = URL("http://127.0.0.1:9000/bucket")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def as_sent(request: OutboundRequest, body: bytes = b"") -> Signed:
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["host"] = request.url.authority
    return Signed(request.method, request.url, headers, body)


@given(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_s3_accepts_the_signature_of_any_key_and_query(key: str, query: dict[str, str]) -> None:
    url = aws_url(BASE, f"/{encode_key(key)}", query)
    request = signed(OutboundRequest("GET", url), KEYS, S3, REGION)
    check_signature(as_sent(request))
    assert unquote(request.url.raw_path) == f"/bucket/{key}"


@given(TEXTS)
def test_s3_accepts_a_presigned_url_with_all_its_headers(key: str) -> None:
    url = aws_url(BASE, f"/{encode_key(key)}", {"partNumber": "1", "uploadId": "a/b+c"})
    headers = {"Content-Type": "application/jsonl", "x-amz-meta-display-name": "a name"}
    request = presigned(OutboundRequest("PUT", url, headers), KEYS, REGION)
    check_signature(as_sent(request, b"any bytes"))


def test_a_changed_request_is_refused() -> None:
    url = aws_url(BASE, "/key")
    request = signed(OutboundRequest("POST", url, {}, b"body"), KEYS, S3, REGION)
    check_signature(as_sent(request, b"body"))
    with pytest.raises(S3Refusal):
        check_signature(as_sent(request, b"other"))


def test_temporary_keys_have_a_token_header() -> None:
    temporary = AwsKeys("ASIAEXAMPLE", "secret", "the token")
    url = aws_url(BASE, "/key")
    in_headers = signed(OutboundRequest("GET", url), temporary, S3, REGION)
    assert in_headers.headers["X-Amz-Security-Token"] == "the token"
    in_the_url = presigned(OutboundRequest("PUT", url), temporary, REGION)
    assert in_the_url.url.query["X-Amz-Security-Token"] == "the token"


def test_the_path_of_an_arn_is_encoded_twice_for_bedrock() -> None:
    """bedrock.md section 5; the model's own ARN is one segment."""
    arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude"
    url = aws_url(URL("https://runtime.test"), f"/model/{encode_segment(arn)}/converse")
    assert url.raw_path == f"/model/{arn.replace(':', '%3A').replace('/', '%2F')}/converse"
    request = signed(OutboundRequest("POST", url, {}, b"{}"), KEYS, BEDROCK, REGION)
    again = AWSRequest("POST", str(url), {"host": "runtime.test"}, data=b"{}")
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    again.headers["X-Amz-Date"] = request.headers["X-Amz-Date"]
    credentials = Credentials(KEYS.access_key_id, KEYS.secret_access_key)
    signer = SigV4Auth(credentials, BEDROCK, REGION)
    canonical = signer.canonical_request(again)
    assert "%253A" in canonical.splitlines()[1]
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    assert request.headers["Authorization"].endswith(f"Signature={expected}")


def test_a_presigned_url_expires_after_15_minutes() -> None:
    request = presigned(OutboundRequest("PUT", aws_url(BASE, "/key")), KEYS, REGION)
    assert request.url.query["X-Amz-Expires"] == "900"
    made = datetime.strptime(request.url.query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60


def test_no_part_of_it_is_shown() -> None:
    request = presigned(OutboundRequest("PUT", aws_url(BASE, "/key")), KEYS, REGION)
    assert "X-Amz" not in repr(request)
    assert KEYS.secret_access_key not in str(request.url)
