"""Tries whether a directory can keep the state, before the proxy starts."""

import errno
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from proxy.disk_errors import is_permanent, reason_of
from proxy.drafts import Draft, drafts_of


@dataclass(frozen=True, slots=True)
class DirectoryProblem:
    """`text` is a sentence without a full stop. A temporary problem only degrades the proxy."""

    text: str
    temporary: bool


def try_in_time(root: Path, seconds: float) -> DirectoryProblem | None:
    """As `try_directory`, in a thread that ends with the process, since a disk may hang."""
    text = f"the directory {root} did not answer within {seconds:g} s"
    found: list[DirectoryProblem | None] = [DirectoryProblem(text, temporary=True)]

    def attempt() -> None:
        found.insert(0, try_directory(root))

    thread = Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0]


def try_directory(root: Path) -> DirectoryProblem | None:
    """Why `root` cannot be used. Leaves nothing behind. Blocks."""
    drafts = drafts_of(root)
    made: list[Path] = []
    try:
        made += [path for path in (drafts, *drafts.parents) if not path.exists()]
        _try_to_write(drafts)
    except OSError as error:
        text = f"the directory {root} cannot be created or written: {_obstacle(drafts, error)}"
        return DirectoryProblem(text, temporary=not is_permanent(error))
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()
    return None


def _try_to_write(drafts: Path) -> None:
    draft, link = Draft(drafts), drafts / f"probe-{secrets.token_hex(16)}.link"
    try:
        draft.append(b"probe")
        draft.publish(link)
    finally:
        # A second error here would hide the first.
        with suppress(OSError):
            link.unlink(missing_ok=True)
        draft.discard()


def _obstacle(drafts: Path, error: OSError) -> str:
    with suppress(PermissionError):  # in that case `error` itself says what is wrong
        for path in (*reversed(drafts.parents), drafts):
            if path.is_symlink() and not path.exists():
                loop = error.errno == errno.ELOOP
                what = "is part of a loop of links" if loop else "points to nothing"
                return f"the link {path} {what}"
            if path.exists() and not path.is_dir():
                return f"{path} is not a directory"
    return reason_of(error)
