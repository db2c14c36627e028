"""The log on stderr, one line for each event: readable on a terminal, JSON otherwise.

The program logs through the standard library; structlog renders the lines.
"""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level
from structlog.typing import Processor

from proxy.log_rate import LogRate

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

# These log what they were given: headers with keys, addresses, messages of errors, whole tasks.
_LIBRARIES: Final = frozenset({"asyncio", "opentelemetry", "requests", "urllib3"})

# Line breaks would begin another line, escape sequences would control the terminal, and lone
# surrogates cannot be written.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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


def _only_the_type_of_an_error(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A traceback or a message may contain a credential.

    The message and the time of a line that another handler rendered before are left out.
    """
    for name in ("message", "asctime"):
        event.pop(name, None)
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if error and error[0]:
        event["error"] = error[0].__name__
    return event


def _without_control_characters(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    shown = {name: value for name, value in event.items() if value is not None}
    return {
        name: printable(value) if isinstance(value, str) else value for name, value in shown.items()
    }


def _to_json(event: Any, **_: Any) -> str:
    return json.dumps(event, default=str)


_COMMON: Final[tuple[Processor, ...]] = (
    ExtraAdder(),
    add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _only_the_type_of_an_error,
)


def json_lines() -> logging.Formatter:
    """`event` is the message; the members of `extra` are beside it."""
    return _formatter(structlog.processors.JSONRenderer(serializer=_to_json))


def console_lines(*, colours: bool) -> logging.Formatter:
    renderer = structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="time")
    return _formatter(_without_control_characters, renderer)


def _formatter(*renderers: Processor) -> logging.Formatter:
    processors = [ProcessorFormatter.remove_processors_meta, *renderers]
    return ProcessorFormatter(foreign_pre_chain=_COMMON, processors=processors)


def log_to_stderr(level: LogLevel = "info", form: LogFormat = "auto") -> None:
    """`auto` is `console` on a terminal and `json` otherwise."""
    on_terminal = sys.stderr.isatty()
    console = form == "console" or (form == "auto" and on_terminal)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(console_lines(colours=on_terminal) if console else json_lines())
    handler.addFilter(without_values_of_libraries)
    handler.addFilter(LogRate())
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
