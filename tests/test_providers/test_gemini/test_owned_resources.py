"""Google's names, as Google and as clients write them."""

from typing import Any

import orjson
import pytest

from providers.errors import FerryError
from providers.gemini.owned_resources import (
    created_resource,
    given_file,
    input_files,
    result_files,
    uploaded_file,
)
from providers.status import Status
from providers.upload import UploadProgress, UploadStatus


def final(document: object) -> UploadProgress:
    return UploadProgress(UploadStatus.FINAL, document=orjson.dumps(document))


def test_names_are_read_where_google_has_them() -> None:
    resource = uploaded_file(final({"file": {"name": "files/abc"}}))
    assert resource is not None
    assert (resource.name, resource) == ("files/abc", created_resource({"name": "files/abc"}))
    assert created_resource({"name": "batches/b-1"}).name == "batches/b-1"
    assert uploaded_file(UploadProgress(UploadStatus.ACTIVE, received=1)) is None


@pytest.mark.parametrize("document", [{}, [], {"file": None}, {"file": {"name": "abc"}}])
def test_an_answer_without_a_name_is_invalid(document: Any) -> None:
    with pytest.raises(FerryError) as caught:
        uploaded_file(final(document))
    assert caught.value.status == Status.UNAVAILABLE


@pytest.mark.parametrize(
    "batch",
    [
        {"metadata": {"output": {"responsesFile": "files/r"}}},
        {"response": {"responsesFile": "files/r"}},
    ],
)
def test_results_belong_to_their_batch(batch: dict[str, Any]) -> None:
    assert [resource.name for resource in result_files(batch)] == ["files/r"]


def test_a_file_named_in_a_result_is_not_a_results_file() -> None:
    said = {"response": {"candidates": [{"args": {"responsesFile": "files/anothers"}}]}}
    output = {"inlinedResponses": {"inlinedResponses": [said]}}
    assert list(result_files({"metadata": {"output": output}, "response": output})) == []


@pytest.mark.parametrize("config", ["inputConfig", "input_config"])
@pytest.mark.parametrize("key", ["fileName", "file_name"])
def test_a_creation_names_its_file_in_either_spelling(config: str, key: str) -> None:
    body = {"batch": {config: {key: "files/abc"}}}
    assert list(input_files(body)) == [given_file("files/abc", "")]


@pytest.mark.parametrize("name", ["abc", "batches/abc", "files/a/b", "files/", 7, ["files/a"]])
def test_an_invalid_file_name_is_refused_with_its_path(name: Any) -> None:
    with pytest.raises(FerryError) as caught:
        list(input_files({"batch": {"inputConfig": {"fileName": name}}}))
    assert caught.value.path == "batch.inputConfig.fileName"


@pytest.mark.parametrize("body", [None, [], {"batch": []}, {"batch": {"inputConfig": "x"}}, {}])
def test_other_bodies_name_no_input_file(body: Any) -> None:
    assert list(input_files(body)) == []
