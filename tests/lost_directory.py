"""A directory that is lost while processes use it, and comes back."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lost(directory: Path) -> Iterator[None]:
    """While this lasts, a file is where the directory was."""
    away = directory.with_name(f"{directory.name}-away")
    file = directory.with_name(f"{directory.name}-file")
    file.touch()
    directory.rename(away)
    _put(file, directory)
    try:
        yield
    finally:
        directory.unlink()
        _put(away, directory)


def _put(path: Path, place: Path) -> None:
    """Rename `path` to `place`, where a process that writes may make a directory at any moment."""
    while True:
        try:
            path.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            shutil.rmtree(place, ignore_errors=True)
        else:
            return
