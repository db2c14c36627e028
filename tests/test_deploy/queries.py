"""What queries of Prometheus name: series of genai-ferry, their labels, and recorded series."""

import re
from collections.abc import Iterator, Set
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from proxy.metrics import Metrics

# Prometheus adds these to every series.
_TARGET: Final = frozenset({"namespace", "job", "instance"})
_UP: Final = "up"

_SERIES: Final = re.compile(r"\b(ferry_\w+|ferry:[\w:]+|up)\b(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPING: Final = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


def exported() -> dict[str, set[str]]:
    """The labels of every series that the program exports, by its name in queries."""
    found: dict[str, set[str]] = {}
    for metric in vars(Metrics("1")).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        (family,) = metric.describe()
        labels = set(metric._labelnames)
        if isinstance(metric, Histogram):
            found[f"{family.name}_bucket"] = labels | {"le"}
            found[f"{family.name}_sum"] = found[f"{family.name}_count"] = labels
        elif isinstance(metric, Counter):
            found[f"{family.name}_total"] = labels
        else:
            found[family.name] = labels
    return found


def series_in(query: str) -> Iterator[tuple[str, set[str]]]:
    """Each series that is named, with the labels that are matched."""
    for name, matchers in _SERIES.findall(query):
        yield name, set(_MATCHER.findall(matchers))


def grouped_by(query: str) -> set[str]:
    return {label.strip() for labels in _GROUPING.findall(query) for label in labels.split(",")}


def problems(query: str, recorded: dict[str, set[str]]) -> list[str]:
    """What the query names that does not exist. `recorded` has the labels of recorded series."""
    known = {**exported(), **recorded, _UP: set[str]()}
    found: list[str] = []
    of_query: Set[str] = _TARGET
    for name, matched in series_in(query):
        if name not in known:
            found.append(f"no series {name}")
            continue
        of_query = of_query | known[name]
        found += [f"{name} has no {label}" for label in matched - known[name] - _TARGET]
    found += [f"no series has {label}" for label in grouped_by(query) - of_query]
    return found
