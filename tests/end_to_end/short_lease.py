"""`python -m tests.end_to_end.short_lease`: the proxy with short leases on immediate batches.

How long they last is not a setting, nor how long an answer may wait until it is recorded. A test
that kills their owner would have to wait for both.
"""

import runpy
from typing import Final

from providers.batches.immediate import heartbeats, leases, runner

_LEASE_SECONDS: Final = 2.0
_LASTING: Final = [
    (leases, "LEASE_SECONDS", _LEASE_SECONDS),
    (leases, "RENEWAL_SECONDS", _LEASE_SECONDS / 4),
    (leases, "MARGIN_SECONDS", _LEASE_SECONDS / 4),
    (heartbeats, "LOOK_SECONDS", _LEASE_SECONDS / 4),
    (runner, "RECORD_SECONDS", _LEASE_SECONDS / 4),
]

if __name__ == "__main__":
    for module, name, seconds in _LASTING:
        assert isinstance(getattr(module, name), float), name
        setattr(module, name, seconds)
    # Imported here: values that depend on the lease are computed at import.
    runpy.run_module("proxy", run_name="__main__")
