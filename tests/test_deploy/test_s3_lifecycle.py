"""`deploy/s3-lifecycle.json` is what S3 takes as the rules of a bucket."""

import json
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from proxy.settings import Settings
from tests.test_documentation import ROOT

PATH = ROOT / "deploy" / "s3-lifecycle.json"


@pytest.fixture
def rule() -> Any:
    (rule,) = json.loads(PATH.read_text())["Rules"]
    return rule


def test_it_has_the_shape_that_s3_accepts() -> None:
    service = botocore.session.get_session().get_service_model("s3")
    operation = service.operation_model("PutBucketLifecycleConfiguration")
    document = {"Bucket": "b", "LifecycleConfiguration": json.loads(PATH.read_text())}

    assert operation.input_shape is not None
    report = ParamValidator().validate(document, operation.input_shape)

    assert not report.has_errors(), report.generate_report()


def test_it_is_in_force(rule: Any) -> None:
    assert rule["Status"] == "Enabled"


def test_it_aborts_no_upload_that_may_still_be_finished(rule: Any) -> None:
    days = rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]

    assert timedelta(days=days) > Settings.model_fields["upload_ttl"].default


def test_it_deletes_nothing_that_is_finished(rule: Any) -> None:
    assert rule.keys() == {"ID", "Status", "Filter", "AbortIncompleteMultipartUpload"}
