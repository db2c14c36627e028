"""All rows of the comparison."""

from collections.abc import AsyncIterator
from typing import Final

from tests.benchmarks.side_by_side.bulk_rows import beside_nginx_rows, stored_chunks_rows, tls_rows
from tests.benchmarks.side_by_side.figures import Figure, not_measured
from tests.benchmarks.side_by_side.line_rows import callback_rows, translated_rows
from tests.benchmarks.side_by_side.plan import Plan, Size
from tests.benchmarks.side_by_side.process_rows import memory_rows, start_rows, worker_rows
from tests.benchmarks.side_by_side.prompt_rows import prompt_rows
from tests.benchmarks.side_by_side.sides import on_cores, usable_cores
from tests.benchmarks.side_by_side.small_rows import small_rows

_ROWS: Final = (
    beside_nginx_rows,
    tls_rows,
    stored_chunks_rows,
    translated_rows,
    small_rows,
    prompt_rows,
    memory_rows,
    callback_rows,
    start_rows,
    worker_rows,
)


async def figures(size: Size, only: str) -> AsyncIterator[Figure]:
    """Those of the rows whose name contains `only`. If one fails, its error is in the place of it
    and of the rest of its kind: a run takes long."""
    plan = Plan(size, only, usable_cores())
    with on_cores([plan.loading]):
        for rows in _ROWS:
            try:
                async for figure in rows(plan):
                    yield figure
            except (RuntimeError, OSError) as error:
                yield not_measured(f"the rest of {rows.__name__}", "-", f"it failed: {error}")
