"""Records what a translation dropped or filled in.

Warnings are shown in the response header `x-ferry-warnings`, in the batch
(`metadata.ferryWarnings`) and in the log. They have paths and counts, never a client's value.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote, unquote

_MAX_BYTES: Final = 2048
# More paths than the header can show. The limit keeps memory bounded if a client invents names.
_MAX_PATHS: Final = 256
_OTHERS: Final = "..."
_OTHERS_BYTES: Final = 64  # for the entry that counts those that do not fit
_ENTRY: Final = re.compile(r"(?P<path>[^=;]*)(?:=(?P<value>[^;]*))?;count=(?P<count>[0-9]{1,9})")
_NUMBER: Final = re.compile(r"(?<=\[)[0-9]+(?=\])|(?<=\Aline )[0-9]+")


class Warnings:
    """The paths of the dropped fields, each with a count.

    List indices and line numbers are replaced by `*`, so a batch of a thousand requests with the
    same field has one warning: `requests[*].request.safetySettings`.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._uncounted = 0

    def __bool__(self) -> bool:
        return bool(self._counts)

    def drop(self, path: str) -> None:
        """Record that the field at `path` was left out."""
        self._count(_encode(_NUMBER.sub("*", path)))

    def fill(self, path: str, value: int | str) -> None:
        """Record that `value` was used for the field at `path`, which was not given."""
        self._count(f"{_encode(_NUMBER.sub('*', path))}={_encode(str(value))}")

    @contextmanager
    def apart(self) -> Iterator[Mapping[str, int]]:
        """What is recorded in a block, which is not added to the rest."""
        kept = self._counts, self._uncounted
        self._counts = {}
        try:
            yield self._counts
        finally:
            self._counts, self._uncounted = kept

    def add(self, recorded: Mapping[str, int]) -> None:
        """Record once more what was recorded in `apart`."""
        for anywhere, count in recorded.items():
            self._count(anywhere, count)

    def _count(self, anywhere: str, count: int = 1) -> None:
        if anywhere not in self._counts and len(self._counts) == _MAX_PATHS:
            self._uncounted += count
        else:
            self._counts[anywhere] = self._counts.get(anywhere, 0) + count

    def render(self) -> str:
        """`path;count=N, path=value;count=M`, percent-encoded ASCII, at most 2048 bytes.

        Paths are in the order in which they were first dropped. Those that do not fit are counted
        in a last entry, `...;count=K`.
        """
        for shown in range(len(self._counts), 0, -1):
            line = self._line(shown)
            if len(line) <= _MAX_BYTES:
                return line
        return self._line(0)

    def _line(self, shown: int) -> str:
        drops = list(self._counts.items())
        entries = [f"{entry};count={count}" for entry, count in drops[:shown]]
        left = self._uncounted + sum(count for _, count in drops[shown:])
        return ", ".join(entries + [f"{_OTHERS};count={left}"] * bool(left))


def explain(rendered: str) -> list[str]:
    """The warnings of `Warnings.render` as sentences, at most 2048 bytes as JSON.

    Text that is not a warning is ignored, because other tools can write to where it was stored.
    """
    entries = map(_ENTRY.fullmatch, rendered[:_MAX_BYTES].split(", "))
    sentences: list[str] = []
    size, left = 0, 0
    for entry in filter(None, entries):
        sentence = _sentence(entry)
        size += len(json.dumps(sentence)) + 2
        if entry["path"] == _OTHERS or size > _MAX_BYTES - _OTHERS_BYTES:
            left += int(entry["count"])
        else:
            sentences.append(sentence)
    return sentences + [f"other fields: dropped or filled in {_times(left)}"] * bool(left)


def _sentence(entry: re.Match[str]) -> str:
    value = entry["value"]
    what = "dropped" if value is None else f"filled in with {unquote(value)}"
    return f"{unquote(entry['path'])}: {what} {_times(int(entry['count']))}"


def _times(count: int) -> str:
    return "(once)" if count == 1 else f"({count} times)"


def _encode(path: str) -> str:
    return quote(path, safe="[]*$")
