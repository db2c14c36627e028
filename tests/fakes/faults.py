"""Faults that a test arms: which request they apply to, and what they do to it."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from .shape import Anything, Flag, Number, Record, Table, Text

CUTS = frozenset({"truncate", "cut_chunks"})
"""The kinds that send only a part of the answer."""
SPOILED = frozenset({"trickle", "excess", "compress"})
"""The kinds that send the whole answer in a way that no client expects."""
KINDS = (
    frozenset({"lose_answer", "reset", "status", "delay", "pause", "reject_after"}) | CUTS | SPOILED
)
PLACES = frozenset({"request", "answer"})

COUNT = Number(low=0, whole=True)
MATCH = Record(
    {
        "method": Text(),
        "path": Text(),
        "query": Text(),
        "headers": Table(Text()),
        "nth": Number(low=1, whole=True),
        "times": Number(low=1, whole=True),
    }
)
FAULT = Record(
    {
        "kind": Text(choices=KINDS),
        "name": Text(low=1),
        "after_bytes": COUNT,
        "status": Number(low=200, high=599, whole=True),
        "headers": Table(Text()),
        "body": Anything(),
        "read_body": Flag(),
        "at": Text(choices=PLACES),
    },
    required=("kind",),
)
ORDER = Record({"match": MATCH, "fault": FAULT}, required=("match", "fault"))


@dataclass
class Fault:
    """One armed fault. `nth` counts matching requests from now; `times` of them get the fault."""

    name: str
    kind: str
    method: str | None
    path: re.Pattern[str]
    query: re.Pattern[str]
    headers: dict[str, re.Pattern[str]]
    nth: int
    times: int
    after_bytes: int | None
    status: int
    answer_headers: dict[str, str]
    answer_body: Any
    read_body: bool
    at: str
    seen: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, method: str, path: str, query: str, headers: dict[str, str]) -> bool:
        """Count the request if it matches, and return whether the fault applies to it."""
        if self.method not in (None, method):
            return False
        if not self.path.search(path) or not self.query.search(query):
            return False
        wanted = self.headers.items()
        if not all(pattern.search(headers.get(name, "")) for name, pattern in wanted):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


def parse_fault(order: Any, number: int) -> Fault:
    """Read `{"match": {...}, "fault": {...}}`; raises ShapeError, re.error."""
    parsed = ORDER.parse(order)
    match, fault = parsed["match"], parsed["fault"]
    return Fault(
        name=fault.get("name", f"fault-{number}"),
        kind=fault["kind"],
        method=match.get("method"),
        path=re.compile(match.get("path", "")),
        query=re.compile(match.get("query", "")),
        headers={
            k.lower(): re.compile(v, re.IGNORECASE) for k, v in match.get("headers", {}).items()
        },
        nth=match.get("nth", 1),
        times=match.get("times", 1),
        after_bytes=fault.get("after_bytes"),
        status=fault.get("status", 503),
        answer_headers=fault.get("headers", {}),
        answer_body=fault.get("body", {"error": {"message": "armed by a test"}}),
        read_body=fault.get("read_body", True),
        at=fault.get("at", "request"),
    )


@dataclass
class FaultTable:
    armed: list[Fault] = field(default_factory=list)

    def arm(self, order: Any) -> Fault:
        fault = parse_fault(order, len(self.armed) + 1)
        self.armed.append(fault)
        return fault

    def take(self, method: str, path: str, query: str, headers: dict[str, str]) -> Fault | None:
        """Every armed fault counts the request; the first that applies is returned."""
        struck = [fault for fault in self.armed if fault.strikes(method, path, query, headers)]
        return struck[0] if struck else None

    def release(self, name: str) -> bool:
        named = [fault for fault in self.armed if fault.name == name]
        for fault in named:
            fault.released.set()
        return bool(named)

    def clear(self) -> None:
        for fault in self.armed:
            fault.released.set()
        self.armed.clear()
