"""Immediate jobs: batches that the proxy runs itself, record by record, for any provider.

The provider supplies answers to single requests (`Answerer`, answerer.py). `ImmediateJobs`
(jobs.py) is the interface: create, get, list, cancel, delete, results. A job is objects in the
state store: its record (job_store.py) and its work (job_work.py). One replica at a time holds the
lease on a job (leases.py) and runs it (run.py). It makes at most two calls for each record that the
provider may have begun (record_answers.py). Leases only save work. Write-once objects guarantee,
whatever the clocks say, that no record is called more often and that no recorded result is fetched
again.
"""
