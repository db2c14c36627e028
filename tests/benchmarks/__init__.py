"""How much memory the proxy takes at its peak, under the loads that stream the most.

`python -m tests.benchmarks` prints a table and fails where a limit is broken; `--quick` is the
same with small files, `--only WORD` runs the workloads whose name contains the word.

Each workload gets a proxy process of its own, so that the peak that the kernel keeps of it
(VmHWM) is the workload's. Clients and fakes are other processes. The fakes read at 8 MB/s a
connection, so that whatever the proxy fails to hold back piles up in its memory. What arrived is
compared with what was sent: a proxy that loses bytes needs little memory.
"""
