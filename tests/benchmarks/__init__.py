"""The proxy's peak memory under the loads that stream the most.

`python -m tests.benchmarks` prints a table and fails if a limit is exceeded; `--quick` is the
same with small files, `--only WORD` runs the workloads whose name contains the word.

Each workload gets a proxy process of its own, so the peak that the kernel records for the process
(VmHWM) is the workload's. Clients and fakes are other processes. The fakes read at 8 MB/s a
connection, so bytes that the proxy reads too early pile up in its memory. What arrived is compared
with what was sent: a proxy that loses bytes needs little memory.
"""
