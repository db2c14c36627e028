import errno
import os
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from providers.state import read, write
from proxy.directory_trial import DirectoryProblem, try_directory, try_in_time
from proxy.state_directory import DirectoryState
from tests.test_proxy.unprivileged import unprivileged


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def obstructed(tmp_path: Path, kind: str) -> tuple[Path, str]:
    """A root that cannot be used, and the reason."""
    above, root = tmp_path / "deep", tmp_path / "deep" / "state"
    match kind:
        case "file above":
            above.write_bytes(b"")
            return root, f"{above} is not a directory"
        case "file":
            above.mkdir()
            root.write_bytes(b"")
            return root, f"{root} is not a directory"
        case "file inside":
            root.mkdir(parents=True)
            (root / ".tmp").write_bytes(b"")
            return root, f"{root / '.tmp'} is not a directory"
        case "link above":
            above.symlink_to(tmp_path / "nowhere")
            return root, f"the link {above} points to nothing"
        case "link":
            above.mkdir()
            root.symlink_to(tmp_path / "nowhere")
            return root, f"the link {root} points to nothing"
        case "circle":
            above.mkdir()
            root.symlink_to(root)
            return root, f"the link {root} is part of a loop of links"
        case _:
            root.mkdir(parents=True)
            root.chmod(0o500)
            return root, "Permission denied"


OBSTACLES = ["file above", "file", "file inside", "link above", "link", "circle", "no rights"]


@pytest.mark.parametrize("kind", OBSTACLES)
async def test_an_unusable_directory_is_reported_in_one_sentence(tmp_path: Path, kind: str) -> None:
    root, reason = obstructed(tmp_path, kind)
    with unprivileged() if kind == "no rights" else nullcontext():
        problem = try_directory(root)
        text = f"the directory {root} cannot be created or written: {reason}"
        assert problem == DirectoryProblem(text, temporary=False)
        with pytest.raises(OSError, match=r"\[Errno"):
            await write(DirectoryState(root), "a", b"x")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errno.EROFS, "Read-only file system"),
        (errno.ENOSPC, "No space left on device"),
        (errno.EPERM, "Operation not permitted"),
    ],
)
def test_a_read_only_file_system_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, reason: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("proxy.drafts.os.link", refuse)
    problem = try_directory(tmp_path)
    text = f"the directory {tmp_path} cannot be created or written: {reason}"
    assert problem == DirectoryProblem(text, temporary=error == errno.ENOSPC)
    assert files(tmp_path) == []


def test_trying_a_directory_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert try_directory(tmp_path / "there" / "a" / "b") is None
    assert list((tmp_path / "there").iterdir()) == []


async def test_trying_a_directory_keeps_its_files(tmp_path: Path) -> None:
    state = DirectoryState(tmp_path)
    await write(state, "a", b"x")
    assert try_directory(tmp_path) is None
    assert await read(state, "a") == b"x"
    assert list((tmp_path / ".tmp").iterdir()) == []


def test_a_directory_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    def hang(_: Path) -> None:
        goes_on.wait()

    monkeypatch.setattr("proxy.directory_trial.try_directory", hang)
    problem = try_in_time(tmp_path, 0.05)
    goes_on.set()
    text = f"the directory {tmp_path} did not answer within 0.05 s"
    assert problem == DirectoryProblem(text, temporary=True)
