"""The keys of a batch's requests, read from its input, for a batch without a request table."""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Final

import orjson

from providers.batches.json_lines import NumberedSplitter, TooLong
from providers.batches.request_table import RequestTable
from providers.batches.result_lines import id_of
from providers.errors import failed_precondition
from providers.memory import Reservation

# Providers take no longer ids.
_ID_CHARACTERS: Final = 512
# The memory of a row in addition to its text: its objects, in a list and in a dictionary.
_ROW_BYTES: Final = 200
# Twice the largest number of requests that a provider accepts. A batch may have failed because its
# input has more; waiting for free memory would not help then.
_ROWS: Final = 200_000


async def add_keys(
    table: RequestTable,
    chunks: AsyncIterable[bytes],
    splitter: NumberedSplitter,
    id_member: str,
    reservation: Reservation,
) -> None:
    """Add one row for each line of an input, so that the provider's line numbers find their row.

    A line without an id gets its number as its key. Memory for the rows is taken from
    `reservation`. Raises FAILED_PRECONDITION for more than 200,000 rows.
    """
    before = len(table)
    async with aclosing(splitter.split(chunks)) as slices:
        async for lines in slices:
            while lines:
                number, line = lines.popleft()
                with splitter.working(0 if isinstance(line, TooLong) else len(line)):
                    named = id_of(line, id_member)
                usable = named is not None and len(named) <= _ID_CHARACTERS
                while len(table) < before + number - 1:
                    _add(table, None, reservation)
                _add(table, named if usable else None, reservation)


def _add(table: RequestTable, key: str | None, reservation: Reservation) -> None:
    if len(table) == _ROWS:
        raise failed_precondition(
            f"the input of the batch has more than {_ROWS} lines, too many to list an error for "
            "each; the error of the batch says why it failed"
        )
    row = orjson.dumps(key or str(len(table) + 1))
    reservation.grow(len(row) + _ROW_BYTES)
    table.rows.append(row)
