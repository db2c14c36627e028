import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.log_lines import console_lines, json_lines, log_to_stderr

FORMATTERS = {"json": json_lines(), "console": console_lines(colours=False)}


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("test")
    return logger.makeRecord("test", logging.INFO, "", 1, message, arguments, None, extra=extra)


@pytest.mark.parametrize("formatter", FORMATTERS.values(), ids=FORMATTERS)
def test_text_that_is_not_unicode_can_be_written(formatter: logging.Formatter) -> None:
    formatter.format(record("sent %s", "\udcff", why="\ud800")).encode()


def failure(message: str) -> logging.LogRecord:
    try:
        raise ValueError("AIzaSecret")
    except ValueError:
        return logging.LogRecord("t", logging.ERROR, "", 1, message, (), sys.exc_info())


def line(logged: logging.LogRecord) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json_lines().format(logged))
    return told


def test_a_line_has_the_message_and_its_extra_fields() -> None:
    told = line(record("sent %s", "x", bytes=5, to=None))
    assert told.pop("time").startswith("20")
    assert told == {"event": "sent x", "bytes": 5, "to": None, "level": "info"}


def test_a_line_on_a_terminal_is_readable() -> None:
    written = FORMATTERS["console"].format(record("sent %s", "x", bytes=5, to=None))
    _, rest = written.split(maxsplit=1)
    assert " ".join(rest.split()) == "[info ] sent x bytes=5"


@pytest.mark.parametrize("form", FORMATTERS)
def test_only_the_type_of_an_error_is_logged(form: str) -> None:
    written = FORMATTERS[form].format(failure("failed"))
    assert "ValueError" in written
    assert "AIzaSecret" not in written
    assert "Traceback" not in written


@pytest.mark.parametrize("form", FORMATTERS)
@given(text=st.text())
def test_an_event_is_one_line_without_control_characters(form: str, text: str) -> None:
    written = FORMATTERS[form].format(record("%s", text, said=text))
    assert written.splitlines() == [written]
    assert "\x1b" not in written
    assert "\x9b" not in written


def logged_by(script: str) -> list[dict[str, Any]]:
    """The lines on stderr of a process that runs `script`."""
    begin = "import logging, warnings; from proxy.log_lines import log_to_stderr; log_to_stderr();"
    done = subprocess.run(
        [sys.executable, "-c", begin + script],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [json.loads(each) for each in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("script", "event"),
    [
        ("logging.getLogger('urllib3.x').error('%s in %.1f s', 'a-secret', 2)", "… in 2.0 s"),
        (
            "logging.getLogger('opentelemetry.x').error('%(e)s', {'e': ValueError('a-secret')})",
            "ValueError",
        ),
        (
            "logging.getLogger('asyncio').error('never retrieved\\ntask: a-secret')",
            "never retrieved",
        ),
        ("logging.getLogger('proxy.x').error('%s', 'ours')", "ours"),
    ],
)
def test_of_a_library_only_its_own_words_are_logged(script: str, event: str) -> None:
    [line] = logged_by(script)
    assert line["event"] == event


def test_a_header_of_the_collector_that_is_not_valid_is_not_logged() -> None:
    [line] = logged_by(
        "from opentelemetry.util.re import parse_env_headers; parse_env_headers('key: a-secret')"
    )
    assert line["level"] == "warning"
    assert "a-secret" not in str(line)


def test_a_warning_of_python_is_a_line_too() -> None:
    [line] = logged_by("warnings.warn('attention', stacklevel=1)")
    assert line["level"] == "warning"
    assert "UserWarning: attention" in line["event"]


@pytest.mark.parametrize(
    ("form", "terminal", "is_json"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("json", True, True),
        ("console", False, False),
    ],
)
def test_the_format_follows_the_setting_and_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: Any,
    terminal: bool,
    is_json: bool,
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    try:
        log_to_stderr("warning", form)
        logging.getLogger("t").info("not this")
        logging.getLogger("t").warning("but this")
    finally:
        root.handlers[:], root.level = handlers, level
    written = capsys.readouterr().err
    assert "not this" not in written
    assert written.count("but this") == 1
    assert written.startswith("{") is is_json
    assert ("\x1b" in written) is (terminal and not is_json)
