"""The command line, `genai-ferry` or `python -m proxy`: serve, or check the settings."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from proxy.allocator import keep_freed_memory
from proxy.bucket_errors import UnusableBucket
from proxy.composition import application
from proxy.descriptors import raise_descriptor_limit
from proxy.directory_trial import DirectoryProblem
from proxy.garbage import collect_rarely
from proxy.kinds import KINDS
from proxy.listener_tls import certificate_problem
from proxy.log_lines import log_to_stderr
from proxy.metrics_page import shared_by_workers
from proxy.online_check import Outcome, try_online
from proxy.outbound_settings import outbound_problem
from proxy.provider_settings import shown_settings
from proxy.risks import probable_mistakes, risks_of
from proxy.serving import serve
from proxy.setting_values import render_duration
from proxy.settings import CONFIG_VARIABLE, Settings, load
from proxy.settings_problems import PREFIX, InvalidSettings, variable
from proxy.state_store import bucket_problem, directory_problem
from proxy.version import version
from proxy.workers import Workers, reserved_port

OK: Final = 0
CANNOT_START: Final = 1
INVALID: Final = 2
OUTPUT_CLOSED: Final = 128 + signal.SIGPIPE

_log: Final = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after a drain or a check, 2 for invalid settings, 1 if it cannot start or if
    something that `check --online` tried does not work.

    If the reader of the output has closed it, the code is what a shell reports for SIGPIPE; if the
    output cannot be written for another reason, such as a full disk, it is 1.
    """
    try:
        try:
            return _command(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except OSError as error:
        with suppress(OSError):
            print(f"genai-ferry: cannot write the output: {error.strerror}", file=sys.stderr)
        _discard_output()
        return CANNOT_START


def _command(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.online and options.command != "check":
        parser.error("--online belongs to check")
    try:
        settings = load(KINDS, options.config)
    except InvalidSettings as error:
        for problem in error.problems:
            print(f"genai-ferry: {problem}", file=sys.stderr)
        return INVALID
    raise_descriptor_limit()
    if options.command == "serve":
        return run(settings)
    return max(check(settings), check_online(settings) if options.online else OK)


def _discard_output() -> None:
    """Otherwise Python would fail to write buffered output at exit, and print a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genai-ferry",
        description="The Google GenAI SDK's files and batches, on other providers.",
        epilog=f"Everything else is set by {PREFIX}* variables or in FILE, which "
        f"{CONFIG_VARIABLE} can also name; `genai-ferry check` prints all settings.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "check"],
        default="serve",
        help="serve until SIGTERM (the default), or check the settings: report mistakes and risks, "
        "and print all settings",
    )
    parser.add_argument(
        "--online",
        action="store_true",
        help="check also tries the state store, the providers' addresses and the proxy's own "
        "credentials",
    )
    parser.add_argument("--version", action="version", version=f"genai-ferry {version()}")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML")
    return parser


# --- check -----------------------------------------------------------------------------------


def check(settings: Settings) -> int:
    for risk in risks_of(settings, KINDS):
        print(f"risk: {risk}")
    directory = directory_problem(settings)
    problem = _start_problem(settings, directory)
    temporary = directory.text if directory else None
    if problem is None and directory is None:
        try:
            temporary = asyncio.run(bucket_problem(settings))
        except UnusableBucket as error:
            problem = f"{variable('state_url')}: {error}"
    if problem is not None:
        print(f"genai-ferry: {problem}", file=sys.stderr)
        return CANNOT_START
    if temporary is not None:
        print(f"risk: {variable('state_url')}: {temporary}.")
    for name, value in _effective(settings):
        print(f"{name}={value}")
    return OK


def check_online(settings: Settings) -> int:
    """Prints one sentence for each part that was tried, or could not be."""
    if outbound_problem(settings) is not None:
        return CANNOT_START  # `check` has said why
    findings = asyncio.run(try_online(settings))
    for finding in findings:
        print(finding)
    return CANNOT_START if any(each.outcome is Outcome.FAILED for each in findings) else OK


def _effective(settings: Settings) -> Iterator[tuple[str, str]]:
    for field in type(settings).model_fields:
        if field not in {"providers", "clients"}:
            yield variable(field), _shown(getattr(settings, field))
    for name, client in settings.clients.items():
        for field in type(client).model_fields:
            yield variable("clients", name, field), _shown(getattr(client, field))
    for name, provider in settings.providers.items():
        for field, value in shown_settings(provider, KINDS):
            yield variable("providers", name, field), _shown(value)


def _shown(value: object) -> str:
    """The value as it would be written in the environment; secrets are shown as stars."""
    if isinstance(value, tuple):
        return ",".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return render_duration(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _start_problem(settings: Settings, directory: DirectoryProblem | None) -> str | None:
    """Why the proxy cannot start with these settings, without a full stop. Blocks."""
    if directory is not None and not directory.temporary:
        return f"{variable('state_url')}: {directory.text}"
    if (problem := certificate_problem(settings) or outbound_problem(settings)) is not None:
        return problem
    for field in ("host", "admin_host"):
        host = getattr(settings, field)
        if host is not None and (problem := _host_problem(host)) is not None:
            return f"{variable(field)}: {problem}"
    return None


def _host_problem(host: str) -> str | None:
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        return f"the name does not resolve to an address: {error.strerror}"
    except UnicodeError:
        return "must be an IP address or a host name"
    return None


# --- serve -----------------------------------------------------------------------------------


def run(settings: Settings) -> int:
    log_to_stderr(settings.log_level, settings.log_format)
    for mistake in probable_mistakes(settings, KINDS):
        _log.warning(mistake)
    keep_freed_memory()
    collect_rarely()
    directory = directory_problem(settings)
    if (problem := _start_problem(settings, directory)) is not None:
        _log.error("cannot start", extra={"reason": problem})
        return CANNOT_START
    if directory is not None:
        _log.warning("%s: calls that need it fail until it is available", directory.text)
    _log.info("starting", extra=_summary(settings))
    settings = _with_secret_key(settings)
    return _attempt(lambda: _run_one(settings) if settings.workers == 1 else _run_many(settings))


def _summary(settings: Settings) -> dict[str, object]:
    """What will be served, and where state is kept."""
    return {
        "version": version(),
        "providers": {
            name: str(dict(shown_settings(provider, KINDS))["base_url"] or "AWS")
            for name, provider in settings.providers.items()
        },
        "default_provider": settings.default_provider,
        "own_credentials": list(settings.ambient),
        "state": settings.state_url,
        "workers": settings.workers,
    }


def _attempt(work: Callable[[], int]) -> int:
    try:
        return work()
    except (OSError, UnusableBucket) as error:
        _log.error("cannot start", extra={"reason": str(error)})
        return CANNOT_START


def _with_secret_key(settings: Settings) -> Settings:
    """Adds a random key, which all workers share, if none is set."""
    if settings.secret_key is not None:
        return settings
    _log.warning("%s is not set: upload URLs expire with this process", variable("secret_key"))
    return settings.model_copy(update={"secret_key": (SecretStr(secrets.token_urlsafe(32)),)})


def _run_one(settings: Settings, lifeline: int | None = None) -> int:
    async def served() -> None:
        shared = lifeline is not None
        await serve(application(settings), settings, reuse_port=shared, lifeline=lifeline)

    asyncio.run(served())
    return OK


def _run_many(settings: Settings) -> int:
    """All workers share both addresses, so health is answered while one of them is replaced."""
    with ExitStack() as reserved:
        ports = {"port": reserved.enter_context(reserved_port(settings.host, settings.port))}
        if settings.admin_address is not None:
            ports["admin_port"] = reserved.enter_context(reserved_port(*settings.admin_address))
        died = reserved.enter_context(shared_by_workers())
        work = partial(_run_worker, settings.model_copy(update=ports))
        return Workers(settings.workers, work, died).run()


def _run_worker(settings: Settings, lifeline: int) -> int:
    return _attempt(partial(_run_one, settings, lifeline))
