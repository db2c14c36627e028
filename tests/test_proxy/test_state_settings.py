"""Settings of the state store: quotas and the encryption of a bucket."""

import pytest

from proxy.kinds import KINDS
from proxy.risks import risks_of
from proxy.settings import load
from proxy.settings_problems import InvalidSettings


def test_a_tenant_that_can_fill_the_store_is_a_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [risk for risk in risks_of(load(KINDS), KINDS) if "fill the store" in risk]
    monkeypatch.setenv("FERRY_STATE_BYTES", "1000")
    found = [risk for risk in risks_of(load(KINDS), KINDS) if "fill the store" in risk]
    assert found == [
        "FERRY_TENANT_STATE_BYTES is not below FERRY_STATE_BYTES: one tenant can fill the store "
        "for all."
    ]


@pytest.mark.parametrize("value", ["AES256", "aws:kms", "aws:kms:alias/state"])
def test_the_encryption_of_a_bucket(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FERRY_STATE_URL", "s3://bucket/prefix")
    monkeypatch.setenv("FERRY_STATE_S3_SSE", value)
    assert load(KINDS).state_s3_sse == value


@pytest.mark.parametrize(
    ("url", "value", "problem"),
    [
        ("s3://bucket/prefix", "aes256", "FERRY_STATE_S3_SSE: must be AES256, aws:kms or"),
        ("file:///tmp/x", "AES256", "FERRY_STATE_S3_SSE: is used only if FERRY_STATE_URL is s3://"),
    ],
)
def test_a_wrong_encryption_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, value: str, problem: str
) -> None:
    monkeypatch.setenv("FERRY_STATE_URL", url)
    monkeypatch.setenv("FERRY_STATE_S3_SSE", value)
    with pytest.raises(InvalidSettings) as caught:
        load(KINDS)
    assert problem in caught.value.problems[0]
