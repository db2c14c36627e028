"""Immediate jobs: batches that the proxy runs itself, record by record, for any provider.

The provider supplies answers to single requests (`Answerer` in calls.py). `ImmediateJobs` (jobs.py)
creates, finds and lists jobs; `CombinedTarget` puts them beside the provider's own batches. A job
is objects in the state store (stored.py), its input in segments of at most 16 records. One replica
at a time holds the lease on a job (leases.py) and runs it (runner.py). The others wait until its
heartbeats stop (heartbeats.py).

A run makes attempts at segments: it writes a started marker, calls each record without a result,
and records the results. A crash may lose answers that were not recorded yet; these records are
called once more, in the segment's second and last attempt. A started marker is written once, so no
record is called more than twice where the provider may have begun it. Before each call an owner
looks for the next owner's lease, so no recorded result is fetched again after a suspension either.
"""
