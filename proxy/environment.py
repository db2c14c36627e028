"""Finds the environment variables that are settings of the proxy."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from proxy.settings_problems import PREFIX, Problem, variable

PROVIDERS_PREFIX: Final = variable("providers", "")
CLIENTS_PREFIX: Final = variable("clients", "")

# What Kubernetes injects for a Service: addresses in the form of Docker links, and their parts.
_SERVICE_ADDRESS: Final = ("tcp://", "udp://", "sctp://")
_SERVICE_VARIABLE: Final = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_.*)?$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?$"
)


def own_variables() -> dict[str, str]:
    """The variables with our prefix, without those that Kubernetes injects."""
    return {name: value for name, value in _ours().items() if not _is_injected(name, value)}


def injected_variables() -> list[str]:
    """The variables that Kubernetes injects for Services whose names begin with `ferry`."""
    return sorted(name for name, value in _ours().items() if _is_injected(name, value))


def comparable(name: str) -> str:
    """The form in which names are compared: case is ignored, and `-` equals `_`."""
    return name.upper().replace("-", "_")


def repeated_variables(variables: Mapping[str, str]) -> Iterator[Problem]:
    """Settings that are given twice in different spellings, of which only one would be used."""
    spellings: dict[str, str] = {}
    for name in sorted(variables):
        first = spellings.setdefault(comparable(name), name)
        if first != name:
            yield Problem((), f"{first} and {name} are the same setting; give only one of them")


def _ours() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k.upper().startswith(PREFIX)}


def _is_injected(name: str, value: str) -> bool:
    # Never ignored: without its address, a provider's requests would be sent elsewhere, and without
    # its limits a client could do everything. Usual names of Services contain no two underscores
    # in a row.
    if name.upper().startswith((PROVIDERS_PREFIX, CLIENTS_PREFIX)):
        return False
    return value.startswith(_SERVICE_ADDRESS) or bool(_SERVICE_VARIABLE.search(name.upper()))
