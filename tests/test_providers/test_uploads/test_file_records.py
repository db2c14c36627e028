from providers.uploads.file_records import FileRecords
from tests.memory_state import MemoryState


async def test_a_record_has_only_names() -> None:
    state = MemoryState()
    records = FileRecords("openai", state)
    details = {"display_name": "dn", "mime_type": "m", "purpose": "batch", "size": "3"}
    await records.write("file-AbC", "s1", details)
    expected = {"display_name": "dn", "mime_type": "m", "session": "s1"}
    assert await records.read("file-AbC") == expected
    assert await FileRecords("other", state).read("file-AbC") is None
    await records.delete("file-AbC")
    assert await records.read("file-AbC") is None
