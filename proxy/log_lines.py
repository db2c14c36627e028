"""The log: one JSON object per line, on stderr."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

_OWN_FIELDS: Final = frozenset(
    logging.LogRecord("", 0, "", 0, "", (), None).__dict__.keys()
    | {"message", "asctime", "taskName"}
)


class JsonLines(logging.Formatter):
    """`event` is the message; the members of `extra` are added beside it.

    Only the type of an exception is logged: a traceback or a message may contain a credential.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"event": record.getMessage()}
        line |= {k: v for k, v in record.__dict__.items() if k not in _OWN_FIELDS}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        line["level"] = record.levelname.lower()
        line["time"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        return json.dumps(line, default=str)


def log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
