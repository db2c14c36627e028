"""Immediate jobs: batches too small for Bedrock, carried out by the proxy record by record.

`ImmediateJobs` (jobs.py) is what the rest knows: create, get, list, cancel, delete, results. A job
is objects in the state store: its record (job_store.py) and its work (job_work.py). One replica
at a time holds the claim on a job (claims.py) and runs it (run.py), each record by at most two
calls that Bedrock may have begun (record_answers.py). Claims only save work: that no call is made
more often than that, and no recorded result fetched again, is held by write-once objects alone,
whatever the clocks say.
"""
