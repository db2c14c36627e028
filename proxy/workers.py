"""Several processes on one port, and a parent that starts, restarts and stops them.

Not gunicorn with aiohttp's worker: it breaks uploads that are open at SIGTERM, ignores a second
SIGTERM, restarts dying workers without end, and tries a used port for five seconds.
"""

import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

# After this many deaths within this many seconds, the parent stops.
RESTARTS: Final = 5
RESTARTS_SECONDS: Final = 60.0

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: Final = logging.getLogger(__name__)


class Workers:
    """Forks `count` processes that run `work`. Call `run` before any thread is started.

    `work` gets a descriptor that closes when the parent ends, and returns an exit code. `died` is
    called with the id of each worker that has ended.
    """

    def __init__(
        self, count: int, work: Callable[[int], int], died: Callable[[int], None] = lambda _: None
    ) -> None:
        self._count = count
        self._work = work
        self._died = died
        self._children: set[int] = set()
        self._deaths: deque[float] = deque(maxlen=RESTARTS)
        self._stopping = False
        self._exit_code = 0
        self._lifeline, self._write_end = os.pipe()

    def run(self) -> int:
        """Runs until all workers have ended after a signal (0), or died too often (1)."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        for _ in range(self._count):
            self._start()
        while self._children:
            pid, _ = os.wait()
            if pid not in self._children:
                continue  # process 1 of a container also gets the orphans of other processes
            self._children.discard(pid)
            self._died(pid)
            if not self._stopping:
                self._replace(pid)
        return self._exit_code

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._stop(signal.SIGKILL if self._stopping else signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        self._stopping = True
        for pid in self._children:
            with suppress(ProcessLookupError):  # the signal interrupted `run` after its wait
                os.kill(pid, number)

    def _start(self) -> None:
        """Starts no child after a signal, which it would not get."""
        # No signal may arrive between a child's start and its entry in the set.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        in_child = not self._stopping and self._forked()
        if in_child:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        if in_child:
            self._run_child()

    def _forked(self) -> bool:
        """Whether this is the child."""
        pid = os.fork()
        if pid:
            self._children.add(pid)
        return not pid

    def _run_child(self) -> None:
        code = 1
        try:
            os.setpgid(0, 0)  # a terminal's Ctrl-C reaches only the parent, which passes it on
            os.close(self._write_end)
            code = self._work(self._lifeline)
        except BaseException as error:
            _log.error("a worker failed", extra={"error": type(error).__name__})
        finally:
            os._exit(code)

    def _replace(self, pid: int) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        if len(self._deaths) == RESTARTS and now - self._deaths[0] < RESTARTS_SECONDS:
            _log.error("workers die too often", extra={"pid": pid})
            self._exit_code = 1
            self._stop(signal.SIGTERM)
            return
        _log.warning("a worker died and is replaced", extra={"pid": pid})
        self._start()


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """Reserves a port for the workers without listening on it; 0 chooses a free port."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as reserving:
        reserving.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserving.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reserving.bind(address)
        except OSError as error:
            raise OSError(error.errno, f"cannot bind {address[:2]}: {error.strerror}") from None
        yield reserving.getsockname()[1]
