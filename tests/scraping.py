"""What `/metrics` shows, as numbers by series and labels."""

from collections import Counter
from collections.abc import Mapping

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Scrape(Counter[tuple[str, Labels]]):
    """The samples of one scrape; `-` gives what was added since another."""

    def of(self, series: str, **labels: str) -> float:
        """The sum of the samples of `series` with these labels, and any others."""
        wanted = labels.items()
        return sum(value for (name, has), value in self.items() if name == series and wanted <= has)

    def labels(self, series: str, label: str) -> set[str]:
        """The values that `label` has in samples above zero."""
        return {dict(has)[label] for (name, has), value in self.items() if name == series and value}

    def since(self, before: "Scrape") -> "Scrape":
        added = Scrape(self)
        added.subtract(before)
        return added


async def scrape(session: ClientSession, url: str) -> Scrape:
    async with session.get(f"{url}/metrics") as reply:
        assert reply.status == 200
        assert reply.content_type == "text/plain"
        text = await reply.text()
    return parsed(text)


def parsed(text: str) -> Scrape:
    found: Mapping[tuple[str, Labels], float] = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return Scrape(found)
