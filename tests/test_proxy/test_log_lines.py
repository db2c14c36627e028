import json
import logging
import sys
from typing import Any

from proxy.log_lines import JsonLines


def line(record: logging.LogRecord) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(JsonLines().format(record))
    return told


def test_a_line_has_the_message_and_its_extra_fields() -> None:
    logger = logging.getLogger("test")
    record = logger.makeRecord(
        "test", logging.INFO, "", 1, "sent %s", ("x",), None, extra={"bytes": 5, "to": None}
    )
    told = line(record)
    assert told.pop("time").endswith("+00:00")
    assert told == {"event": "sent x", "bytes": 5, "to": None, "level": "info"}


def test_only_the_type_of_an_error_is_logged() -> None:
    try:
        raise ValueError("AIzaSecret")
    except ValueError:
        record = logging.LogRecord("t", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    assert line(record)["error"] == "ValueError"
    assert "AIzaSecret" not in JsonLines().format(record)
    assert "Traceback" not in JsonLines().format(record)


def test_a_final_line_break_starts_no_line() -> None:
    record = logging.LogRecord("t", logging.INFO, "", 1, "a\nb", (), None)
    assert "\n" not in JsonLines().format(record)
