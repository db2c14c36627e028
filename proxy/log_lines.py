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

_JSON: Final = json.JSONEncoder(default=str)
# What another handler renders into a record is left out too.
_OF_EVERY_RECORD: Final = {*logging.makeLogRecord({}).__dict__, "message", "asctime"}


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


class JsonLines(logging.Formatter):
    """`event` is the message; the members of `extra` are beside it.

    Of an error only its type: a traceback or a message may contain a credential.
    """

    def format(self, record: logging.LogRecord) -> str:
        members = record.__dict__.items()
        event: dict[str, Any] = {
            "event": record.getMessage(),
            **{name: value for name, value in members if name not in _OF_EVERY_RECORD},
            "level": record.levelname.lower(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info and record.exc_info[0]:
            event["error"] = record.exc_info[0].__name__
        return _JSON.encode(event)


def log_to_stderr(level: LogLevel = "info", form: LogFormat = "auto") -> None:
    """`auto` is `console` on a terminal and `json` otherwise."""
    on_terminal = sys.stderr.isatty()
    console = form == "console" or (form == "auto" and on_terminal)
    handler = logging.StreamHandler(sys.stderr)
    if console:
        from proxy.console_lines import console_lines  # noqa: PLC0415 - takes long

        handler.setFormatter(console_lines(colours=on_terminal))
    else:
        handler.setFormatter(JsonLines())
    handler.addFilter(without_values_of_libraries)
    handler.addFilter(LogRate())
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
