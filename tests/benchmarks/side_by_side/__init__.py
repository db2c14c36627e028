"""The proxy beside nginx, a bare aiohttp relay and a parser, on one machine and in one run.

`python -m tests.benchmarks.side_by_side` measures every row and writes `tests/benchmarks/report/`;
`--only WORD` measures the rows whose name contains the word, `--quick` only shows that everything
works, and neither writes. The measured process has one core for itself; the load and the upstream
have another. All sides are measured in turns, the reference at the beginning and at the end of each
turn. Single times move with the machine, so only the ratios of one run mean anything.

`growth.py` measures how the cost grows, and `peers.py` other gateways.
"""
