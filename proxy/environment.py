"""The environment variables that may be settings of ours."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from proxy.settings_problems import PREFIX, Problem, variable

PROVIDERS_PREFIX: Final = variable("providers", "")

# What Kubernetes injects for a Service: an address in the form of Docker's links, and its parts.
_SERVICE_ADDRESS: Final = ("tcp://", "udp://", "sctp://")
_SERVICE_VARIABLE: Final = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_.*)?$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?$"
)


def own_variables() -> dict[str, str]:
    """The variables that begin like ours, less those that Kubernetes injects."""
    return {name: value for name, value in _ours().items() if not _is_injected(name, value)}


def injected_variables() -> list[str]:
    """What Kubernetes injects for Services whose names begin with `ferry`."""
    return sorted(name for name, value in _ours().items() if _is_injected(name, value))


def comparable(name: str) -> str:
    """Names of variables match without case, and `-` equals `_`."""
    return name.upper().replace("-", "_")


def repeated_variables(variables: Mapping[str, str]) -> Iterator[Problem]:
    """Settings that are given twice, in different spellings: only one could take effect."""
    spellings: dict[str, str] = {}
    for name in sorted(variables):
        first = spellings.setdefault(comparable(name), name)
        if first != name:
            yield Problem((), f"{first} and {name} are the same setting; give only one of them")


def _ours() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k.upper().startswith(PREFIX)}


def _is_injected(name: str, value: str) -> bool:
    # No usual Service name leads to two underscores. Ignoring the address of a provider would
    # send its requests elsewhere.
    if name.upper().startswith(PROVIDERS_PREFIX):
        return False
    return value.startswith(_SERVICE_ADDRESS) or bool(_SERVICE_VARIABLE.search(name.upper()))
