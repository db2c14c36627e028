"""`python -m tests.fuzz.with_atheris TARGET [-max_total_time=60] [-runs=N] [CORPUS]`.

Drives one target of `parsers` with libFuzzer, guided by coverage. The options are libFuzzer's.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["middlewares", "providers", "proxy"]):
    from tests.fuzz.parsers import TARGETS


def main() -> None:
    name, *options = sys.argv[1:]
    target = TARGETS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    for number, example in enumerate(target.corpus):
        (folder / str(number)).write_bytes(example)
    atheris.Setup([sys.argv[0], *options, str(folder)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
