"""The log's lines for a terminal, which structlog renders.

Imported only where they are used: structlog takes a tenth of the time of a start.
"""

import logging
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level
from structlog.typing import Processor

from proxy.log_lines import printable


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


_COMMON: Final[tuple[Processor, ...]] = (
    ExtraAdder(),
    add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _only_the_type_of_an_error,
)


def console_lines(*, colours: bool) -> logging.Formatter:
    renderer = structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="time")
    processors: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        _without_control_characters,
        renderer,
    ]
    return ProcessorFormatter(foreign_pre_chain=_COMMON, processors=processors)
