"""`python -m tests.end_to_end.short_lease`: the proxy with short leases on immediate batches.

How long they last is no setting. A test that kills their owner would have to wait for it.
"""

import runpy
from typing import Final

from providers.batches.immediate import leases

_LEASE_SECONDS: Final = 2.0
_LASTING: Final = {
    "LEASE_SECONDS": _LEASE_SECONDS,
    "RENEWAL_SECONDS": _LEASE_SECONDS / 4,
    "MARGIN_SECONDS": _LEASE_SECONDS / 4,
}

if __name__ == "__main__":
    for name, seconds in _LASTING.items():
        assert isinstance(getattr(leases, name), float), name
        setattr(leases, name, seconds)
    # Imported here: values that depend on the lease are computed at import.
    runpy.run_module("proxy", run_name="__main__")
