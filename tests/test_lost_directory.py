import threading
from contextlib import suppress
from pathlib import Path

from tests.lost_directory import lost


def test_a_process_that_writes_all_the_time_does_not_keep_it(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir()
    (directory / "kept").write_bytes(b"kept")
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            with suppress(OSError):
                directory.mkdir(exist_ok=True)
                (directory / "written").write_bytes(b"written")

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(100):
            with lost(directory):
                assert directory.is_file()
            assert (directory / "kept").read_bytes() == b"kept"
    finally:
        ended.set()
        writing.join()
