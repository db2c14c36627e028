from providers.uploads.native_files import FileRecord, FileRecords
from tests.memory_state import MemoryState


async def test_a_record_is_read_as_it_was_written() -> None:
    state = MemoryState()
    records = FileRecords("openai", state)
    for native_id, record in (
        ("file-a", FileRecord("s1")),
        ("file-AbC", FileRecord("s1", "dn", "m")),
        ("a" * 512, FileRecord("s2")),
    ):
        await records.write(native_id, record)
        assert await records.read(native_id) == record
    await records.delete("file-a")
    assert await FileRecords("other", state).read("file-AbC") is None
    await records.delete("file-AbC")
    assert await records.read("file-AbC") is None
