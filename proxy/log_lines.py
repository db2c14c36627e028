"""The log on stderr, one line for each event: readable on a terminal, JSON otherwise."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

from proxy.log_rate import LogRate

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

# These log what they were given: headers with keys, addresses, messages of errors, whole tasks.
_LIBRARIES: Final = frozenset({"asyncio", "opentelemetry", "requests", "urllib3"})

# Line breaks would begin another line, escape sequences would control the terminal, and lone
# surrogates cannot be written.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# The members of every record; the others are those of `extra`. Other handlers add the last two.
_USUAL: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}

_RESET, _BOLD, _CYAN = "\x1b[0m", "\x1b[1m", "\x1b[36m"
_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
_USUAL_COLOUR: Final = "\x1b[32m"


def printable(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def without_values_of_libraries(record: logging.LogRecord) -> bool:
    """A filter that keeps a library's own words, numbers, and the types of errors."""
    if record.name.partition(".")[0] in _LIBRARIES:
        record.msg = str(record.msg).partition("\n")[0]
        if isinstance(record.args, tuple):
            record.args = tuple(map(_without_value, record.args))
        elif record.args:
            record.args = {name: _without_value(each) for name, each in record.args.items()}
    return True


def _without_value(argument: object) -> object:
    match argument:
        case int() | float():
            return argument
        case BaseException():
            return type(argument).__name__
        case _:
            return "…"


def _members(record: logging.LogRecord) -> dict[str, Any]:
    """Of an error only the type: a traceback or a message may contain a credential."""
    moment = datetime.fromtimestamp(record.created, UTC)
    members = {
        "event": record.getMessage(),
        **{name: value for name, value in record.__dict__.items() if name not in _USUAL},
        "level": record.levelname.lower(),
        "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }
    if record.exc_info and record.exc_info[0]:
        members["error"] = record.exc_info[0].__name__
    return members


class JsonLines(logging.Formatter):
    """`event` is the message; the members of `extra` are beside it."""

    _encode = json.JSONEncoder(default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        return self._encode(_members(record))


class ConsoleLines(logging.Formatter):
    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        shown = {n: printable(str(v)) for n, v in _members(record).items() if v is not None}
        time, level, event = (shown.pop(name) for name in ("time", "level", "event"))
        colour = _COLOURS.get(level, _USUAL_COLOUR)
        words = [time, f"[{self._in(colour, f'{level:<8}')}]", self._in(_BOLD, f"{event:<30}")]
        words.extend(f"{self._in(_CYAN, printable(name))}={value}" for name, value in shown.items())
        return " ".join(words)

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours else text


def log_to_stderr(level: LogLevel = "info", form: LogFormat = "auto") -> None:
    """`auto` is `console` on a terminal and `json` otherwise."""
    on_terminal = sys.stderr.isatty()
    console = form == "console" or (form == "auto" and on_terminal)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ConsoleLines(colours=on_terminal) if console else JsonLines())
    handler.addFilter(without_values_of_libraries)
    handler.addFilter(LogRate())
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
