"""An SDK that is not installed skips its tests on a developer's machine, and fails them in CI."""

from dataclasses import replace

import pytest

from tests.end_to_end.sdk_process import GO, JAVASCRIPT, ROOT, Sdk


def absent(sdk: Sdk, toolchain: tuple[str, ...] = ()) -> Sdk:
    return replace(sdk, needs=ROOT / "no-such-file", toolchain=toolchain)


def test_an_installed_sdk_is_not_skipped() -> None:
    replace(JAVASCRIPT, needs=ROOT).require()


def test_an_absent_sdk_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="run `make sdks`"):
        absent(JAVASCRIPT).require()


def test_an_absent_sdk_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="javascript: no-such-file is missing"):
        absent(JAVASCRIPT).require()


def test_a_toolchain_that_may_be_absent_skips_even_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.skip.Exception, match="go: no no-such-toolchain on this machine"):
        absent(GO, ("python3", "no-such-toolchain")).require()


def test_a_missing_runner_with_its_toolchain_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception):
        absent(GO, ("python3",)).require()
