"""The body of a creation: both spellings of each field, and refusals with their JSON paths."""

import threading
from typing import Any

import orjson
import pytest

from middlewares.batch_request import parse_new_batch
from providers.errors import FerryError
from providers.json_api.read_in_memory import read_in_memory
from providers.limits import DISPLAY_NAME, JSON_NODES, RESOURCE_URI
from providers.memory import MemoryBudget
from providers.resources import BatchKind, NewBatch, any_file

REQUEST = {"contents": [{"parts": [{"text": "a"}]}]}


def parse(batch: Any, model: str = "gpt-4o", kind: BatchKind = BatchKind.GENERATE) -> NewBatch:
    return parse_new_batch(orjson.dumps({"batch": batch}), model, kind, None, any_file)


def inline(*items: Any) -> dict[str, Any]:
    return {"inputConfig": {"requests": {"requests": list(items)}}}


def refusal(batch: Any) -> str:
    with pytest.raises(FerryError) as raised:
        parse(batch)
    assert raised.value.code == 400
    return str(raised.value.path)


@pytest.mark.parametrize("name", ["files/fabc", "https://h/genai/v1beta/files/fabc"])
@pytest.mark.parametrize(
    "spelling",
    [("inputConfig", "fileName"), ("input_config", "file_name"), ("inputConfig", "file_name")],
)
def test_from_a_file(spelling: tuple[str, str], name: str) -> None:
    assert parse({spelling[0]: {spelling[1]: name}}).source == "fabc"


def test_inline_requests_keep_order_metadata_and_path() -> None:
    created = parse(inline({"request": REQUEST, "metadata": {"key": "k"}}, {"request": REQUEST}))
    assert not isinstance(created.source, str)
    assert [item.path for item in created.source] == [
        f"batch.inputConfig.requests.requests[{n}].request" for n in (0, 1)
    ]


@pytest.mark.parametrize("key", ["displayName", "display_name"])
def test_a_display_name(key: str) -> None:
    assert parse({**inline({"request": REQUEST}), key: "d"}).display_name == "d"
    assert parse({**inline({"request": REQUEST}), key: ""}).display_name is None


@pytest.mark.parametrize("called", ["gpt-4o", "models/gpt-4o"])
@pytest.mark.parametrize("named", [None, "", "gpt-4o", "models/gpt-4o"])
def test_the_model_in_the_body_may_repeat_the_urls(called: str, named: str | None) -> None:
    assert parse({**inline({"request": REQUEST}), "model": named}, called).model == "gpt-4o"


@pytest.mark.parametrize(
    ("batch", "path"),
    [
        (None, "batch"),
        ([], "batch"),
        ({}, "batch.inputConfig"),
        ({"inputConfig": {}}, "batch.inputConfig"),
        ({"input_config": {}}, "batch.input_config"),
        ({"inputConfig": {"fileName": "abc"}}, "batch.inputConfig.fileName"),
        ({"inputConfig": {"file_name": 1}}, "batch.inputConfig.file_name"),
        ({"inputConfig": {"gcsUri": "x"}}, "batch.inputConfig.gcsUri"),
        ({"inputConfig": {"fileName": "files/a", "requests": {}}}, "batch.inputConfig"),
        (inline(), "batch.inputConfig.requests.requests"),
        (inline(1), "batch.inputConfig.requests.requests[0]"),
        (inline({}), "batch.inputConfig.requests.requests[0].request"),
        (inline({"request": REQUEST, "key": "k"}), "batch.inputConfig.requests.requests[0].key"),
        (inline({"request": REQUEST}, {"request": REQUEST, "metadata": {"n": 1}}),
         "batch.inputConfig.requests.requests[1].metadata.n"),
        (inline({"request": REQUEST, "metadata": []}),
         "batch.inputConfig.requests.requests[0].metadata"),
        ({**inline({"request": REQUEST}), "priority": 5}, "batch.priority"),
        ({**inline({"request": REQUEST}), "webhook_config": {"a": 1}}, "batch.webhook_config"),
        ({**inline({"request": REQUEST}), "name": "batches/mine"}, "batch.name"),
        ({**inline({"request": REQUEST}), "model": "gpt-4"}, "batch.model"),
        ({**inline({"request": REQUEST}), "display_name": 1}, "batch.display_name"),
        ({**inline({"request": REQUEST}), "display_name": "a", "displayName": "a"},
         "batch.displayName"),
        ({**inline({"request": REQUEST}), "dest": "x"}, "batch.dest"),
    ],
)  # fmt: skip
def test_refusals_name_the_field_in_the_clients_spelling(batch: Any, path: str) -> None:
    assert refusal(batch) == path


@pytest.mark.parametrize(
    "other",
    [
        {"model": "gpt-4"},
        {"kind": BatchKind.EMBED},
        {"batch": {**inline({"request": REQUEST}), "displayName": "d"}},
    ],
)
def test_different_requests_have_different_fingerprints(other: dict[str, Any]) -> None:
    batch = inline({"request": REQUEST})
    first = parse(batch).fingerprint
    assert parse(batch).fingerprint == first
    assert parse(**{"batch": batch, **other}).fingerprint != first


def test_a_misspelt_field_gets_a_hint() -> None:
    with pytest.raises(FerryError) as caught:
        parse({"inputConfg": {"fileName": "files/a"}})
    assert caught.value.message == "batch.inputConfg: unknown field; did you mean 'inputConfig'?"


BESIDE = ["systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent"]


@pytest.mark.parametrize("name", BESIDE)
def test_what_old_sdks_write_beside_an_inline_request_belongs_to_it(name: str) -> None:
    item = {"request": REQUEST, name: {"a": 1}, "metadata": {"k": "v"}}
    within = {"request": {**REQUEST, name: {"a": 1}}, "metadata": {"k": "v"}}
    found, expected = (parse(inline(each)).source for each in (item, within))
    assert found == expected
    with pytest.raises(FerryError) as caught:
        parse(inline({"request": {**REQUEST, name: {}}, name: {}}))
    assert caught.value.path == f"batch.inputConfig.requests.requests[0].{name}"
    assert "is in request too" in caught.value.message


@pytest.mark.parametrize("name", ["system_instruction", "labels", "contents"])
def test_other_members_beside_an_inline_request_are_named(name: str) -> None:
    with pytest.raises(FerryError) as caught:
        parse(inline({"request": REQUEST, name: []}))
    assert caught.value.message == (
        f"batch.inputConfig.requests.requests[0].{name}: unknown field here; put it in request"
    )


def test_an_unknown_member_beside_an_inline_request_is_named_in_short() -> None:
    with pytest.raises(FerryError) as caught:
        parse(inline({"request": REQUEST, "a" * 10_000: 1}))
    assert caught.value.path == f"batch.inputConfig.requests.requests[0].{'a' * 80}"


async def test_a_dense_body_is_parsed_in_a_thread_and_its_objects_are_counted() -> None:
    memory = MemoryBudget()
    seen: list[tuple[bool, bool]] = []
    data = orjson.dumps({"batch": [{"a": "b"}] * 10_000})

    def parse() -> NewBatch:
        seen.append((threading.get_ident() == loop, memory.used > 30_000 * 100))
        return NewBatch("m", BatchKind.GENERATE, [])

    loop = threading.get_ident()
    await read_in_memory(memory, data, parse)
    await read_in_memory(memory, b"{}", parse)
    assert seen == [(False, True), (True, False)]
    assert memory.used == 0


async def test_a_body_with_too_many_nodes_is_refused_before_it_is_parsed() -> None:
    data = b"[" + b",".join([b"{}"] * JSON_NODES) + b"]"
    with pytest.raises(FerryError, match=f"^body: has more than {JSON_NODES} objects"):
        await read_in_memory(MemoryBudget(), data, pytest.fail)


def test_a_display_name_is_bounded_before_it_is_stored() -> None:
    source = inline({"request": REQUEST})
    assert parse({**source, "displayName": "a" * DISPLAY_NAME}).display_name == "a" * DISPLAY_NAME
    assert refusal({**source, "displayName": "a" * (DISPLAY_NAME + 1)}) == "batch.displayName"


@pytest.mark.parametrize("name", ["files/a/" * 9_000, "files/" + "a" * 72_000, "https://" * 9_000])
def test_a_long_file_name_is_refused_before_it_is_read(name: str) -> None:
    assert len(name) > RESOURCE_URI
    assert refusal({"inputConfig": {"fileName": name}}) == "batch.inputConfig.fileName"
