"""What was read from the state store lately is not read again."""

from unittest.mock import patch

from providers.batches.batch_records import BatchRecord, BatchRecords
from providers.batches.file_batches.metadata import JOB
from providers.json_api.client import Answer
from providers.kept_records import KeptRecords
from providers.openai.batches import StoredMetadata
from providers.uploads.native_files import FileRecord, FileRecords
from tests.contract.counted_state import CountedState
from tests.memory_state import MemoryState


async def test_a_record_is_read_once() -> None:
    state = CountedState(MemoryState())
    files, batches = FileRecords("openai", state), BatchRecords("openai", state)
    await files.write("a", FileRecord("s1", "dn"))
    await batches.write("a", BatchRecord("m"))
    state.calls.clear()
    for _ in range(3):
        assert await files.read("a") == FileRecord("s1", "dn")
        assert await batches.read("a") == BatchRecord("m")
    assert len(state.calls) == 2


async def test_the_metadata_of_a_server_that_keeps_none_is_read_once() -> None:
    state, native = CountedState(MemoryState()), Answer({"id": "batch_a"})
    metadata = StoredMetadata("vllm", state)
    stored = await metadata.store(native, {JOB: "a"})
    state.calls.clear()
    assert [await metadata.restored(native) for _ in range(3)] == [stored] * 3
    assert len(state.calls) == 1
    await metadata.delete(native)
    assert await metadata.restored(native) == native


async def test_a_record_that_was_written_is_not_read() -> None:
    state = CountedState(MemoryState())
    records = KeptRecords(state, FileRecord, str)
    assert await records.write("a", FileRecord("s1"))
    state.calls.clear()
    assert await records.read("a") == FileRecord("s1")
    assert not state.calls


async def test_the_first_record_that_was_written_is_kept() -> None:
    """Another replica may have written one."""
    state = MemoryState()
    await KeptRecords(state, FileRecord, str).write("a", FileRecord("s1"))
    records = KeptRecords(state, FileRecord, str)
    assert not await records.write("a", FileRecord("s2"))
    assert await records.read("a") == FileRecord("s1")


async def test_a_record_that_is_missing_is_looked_for_each_time() -> None:
    """Another replica may write it a moment later."""
    state = MemoryState()
    records = FileRecords("openai", state)
    assert await records.read("a") is None
    await FileRecords("openai", state).write("a", FileRecord("s1"))
    assert await records.read("a") == FileRecord("s1")


async def test_a_deleted_record_is_not_kept() -> None:
    records = FileRecords("openai", MemoryState())
    await records.write("a", FileRecord("s1"))
    assert await records.read("a")
    await records.delete("a")
    assert await records.read("a") is None


async def test_of_several_only_those_that_are_not_kept_are_read() -> None:
    state = CountedState(MemoryState())
    records = FileRecords("openai", state)
    await records.write("a", FileRecord("s1"))
    await records.write("b", FileRecord("s2"))
    await records.read("b")
    state.calls.clear()
    listed = [Answer({"id": each}) for each in ("b", "c", "a", "b")]
    found = await records.read_all(listed)
    assert found == [FileRecord("s2"), None, FileRecord("s1"), FileRecord("s2")]
    assert len(state.calls) == 2


async def test_only_so_many_are_kept() -> None:
    state = CountedState(MemoryState())
    records = FileRecords("openai", state)
    names = ["a", "b", "c"]
    for name in names:
        await records.write(name, FileRecord("s1"))
    state.calls.clear()
    with patch("providers.kept_records.MOST_KEPT", 2):
        for name in [*names, "c", "b"]:
            await records.read(name)
        assert len(state.calls) == 3
        await records.read("a")
    assert len(state.calls) == 4
