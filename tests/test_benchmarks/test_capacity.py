"""deploy/docs/capacity.md has what the model computes, and the simulation agrees with it."""

import pytest

from tests.benchmarks.capacity import OPEN, PRICES, needed, tables, uploads
from tests.benchmarks.capacity_simulation import WRONG, simulated
from tests.benchmarks.replicas import PROVIDERS
from tests.test_documentation import ROOT


def test_the_page_has_the_tables_of_the_model() -> None:
    page = (ROOT / "deploy" / "docs" / "capacity.md").read_text()
    for table in tables().split("\n\n"):
        assert table.strip() in page, "write the output of tests.benchmarks.capacity there"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ten_times_the_uploads_cost_ten_times_as_much(provider: str) -> None:
    """Sweeps too, as soon as they have reached what one replica may list in an hour."""
    _, smaller, larger = (needed(provider, uploads(count)) for count in OPEN)
    assert larger.cores == pytest.approx(10 * smaller.cores)
    assert larger.dollars <= 10.5 * smaller.dollars


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_simulation_agrees(provider: str) -> None:
    count = OPEN[0]
    model = needed(provider, uploads(count))
    found = await simulated(provider, count)
    price = sum(PRICES[name] * times for name, times in found.items())
    assert price == pytest.approx(model.dollars, rel=WRONG)
