"""The keys of a batch's requests as its input names them, for a batch without a request table."""

from collections.abc import AsyncIterable
from contextlib import aclosing
from typing import Final

import orjson

from providers.json_lines import NumberedSplitter, TooLong
from providers.memory import Reservation
from providers.request_table import RequestTable, RowKind
from providers.result_lines import id_of

# No provider takes an id that is longer.
_ID_CHARACTERS: Final = 512
# Of a row beside its text: the objects that hold it, in a list and in a dictionary.
_ROW_BYTES: Final = 200


async def keys_of_input(
    chunks: AsyncIterable[bytes],
    splitter: NumberedSplitter,
    id_member: str,
    reservation: Reservation,
) -> RequestTable:
    """One row for each line, so that the provider's line numbers find their row.

    The number of a line that names no request is its key. The rows are counted on `reservation`.
    """
    table = RequestTable(RowKind.CUSTOM_ID)
    async with aclosing(splitter.split(chunks)) as slices:
        async for lines in slices:
            while lines:
                number, line = lines.popleft()
                with splitter.working(0 if isinstance(line, TooLong) else len(line)):
                    named = id_of(line, id_member)
                usable = named is not None and len(named) <= _ID_CHARACTERS
                for blank in range(len(table) + 1, number):
                    _add(table, str(blank), reservation)
                _add(table, named if usable and named else str(number), reservation)
    return table


def _add(table: RequestTable, key: str, reservation: Reservation) -> None:
    row = orjson.dumps(key)
    reservation.grow(len(row) + _ROW_BYTES)
    table.rows.append(row)
