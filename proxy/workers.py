"""Several processes on one port: a parent that starts them, watches them, and ends with them."""

import logging
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# So many deaths within so many seconds are no accident: the parent then gives up.
RESTARTS: Final = 5
RESTARTS_SECONDS: Final = 60.0

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: Final = logging.getLogger(__name__)


class Workers:
    """Forks `count` processes that run `work`; it must be called before any thread is started.

    `work` gets a descriptor that ends when the parent does, and returns an exit code.
    """

    def __init__(self, count: int, work: Callable[[int], int]) -> None:
        self._count = count
        self._work = work
        self._children: set[int] = set()
        self._deaths: deque[float] = deque(maxlen=RESTARTS)
        self._stopping = False
        self._exit_code = 0
        self._lifeline, self._write_end = os.pipe()

    def run(self) -> int:
        """Until all have ended after a signal (0), or died too often (1)."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        for _ in range(self._count):
            self._start()
        while self._children:
            pid, _ = os.wait()
            self._children.discard(pid)
            if not self._stopping:
                self._replace(pid)
        return self._exit_code

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._stop(signal.SIGKILL if self._stopping else signal.Signals(number))

    def _stop(self, number: signal.Signals) -> None:
        self._stopping = True
        for pid in self._children:
            os.kill(pid, number)

    def _start(self) -> None:
        with _signals_blocked():
            pid = os.fork()
            if pid:
                self._children.add(pid)
                return
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
        self._run_child()

    def _run_child(self) -> None:
        code = 1
        try:
            os.setpgid(0, 0)  # a terminal's Ctrl-C goes to the parent alone, which passes it on
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
def _signals_blocked() -> Iterator[None]:
    """A signal must not fall between a child's start and the parent's knowing of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """A port that stays ours to share (port 0: a free one), without listening on it."""
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
