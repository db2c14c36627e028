"""Where the program starts, as `genai-ferry` or `python -m proxy`."""

import signal
import sys
from types import FrameType

from proxy.garbage import importing
from proxy.system_trust import unread


def main() -> int:
    """Signals end the process from the first moment, until a part that serves handles them.

    As process 1 of a container it would not get a SIGTERM for which it has no handler: a container
    that is stopped while it starts would run until it is killed.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with importing(), unread():
        from proxy.command_line import main as command_line  # noqa: PLC0415 - takes half a second

    return command_line()


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
