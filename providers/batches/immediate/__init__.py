"""Immediate jobs: batches that the proxy runs itself, record by record, for any provider.

The provider supplies answers to single requests (`Answerer`). `ImmediateJobs` (jobs.py) creates,
finds and lists jobs; `CombinedTarget` puts them beside the provider's own batches. A job is objects
in the state store (stored.py), its work in segments of a few records. One replica at a time holds
the lease on a job (leases.py) and runs it (runner.py). It makes at most two calls for each record
that the provider may have begun (calls.py). Leases only save work. Write-once objects guarantee,
whatever the clocks say, that no record is called more often and that no recorded result is fetched
again.
"""
