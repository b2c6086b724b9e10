"""The pytest plugin: with ``--safewriter``, a test fails whose writers lose or never write a summary.

It is off until ``--safewriter``, or ``safewriter = true`` in the configuration, asks for it, and imports nothing then.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from safewriter.testing import capture_findings

if TYPE_CHECKING:
    from safewriter.findings import Finding


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and the two settings."""
    group = parser.getgroup("safewriter", "summaries that are lost or never written")
    group.addoption(
        "--safewriter", action="store_true", help="fail tests whose TensorFlow summary writers lose or never write one"
    )
    parser.addini("safewriter", "the same as --safewriter", type="bool", default=False)
    parser.addini("safewriter_ignore", "codes, names or code prefixes that fail no test", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Begins to watch, where that is asked for."""
    if config.getoption("--safewriter") or config.getini("safewriter"):
        try:
            watch = _Watch(config.getini("safewriter_ignore"))
        except ValueError as error:
            raise pytest.UsageError(f"safewriter_ignore: {error}") from None
        config.pluginmanager.register(watch, "safewriter-watch")


class _Watch:
    """Captures what each test has to answer for: its own call, and what its fixtures set up and tear down."""

    def __init__(self, ignore: Iterable[str]) -> None:
        from safewriter.patching import install

        self._installation = install(ignore=list(ignore))

    def pytest_unconfigure(self) -> None:
        self._installation.__exit__(None, None, None)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        findings: list[Finding] = []
        try:
            with capture_findings() as findings:
                result = yield
        except BaseException:
            if findings:
                item.add_report_section("call", "safewriter", _text(findings))
            raise
        _fail_for(findings)
        return result

    @pytest.fixture(autouse=True)
    def _safewriter_of_fixtures(self) -> Generator[None, None, None]:
        """Set up first and torn down last: what the other fixtures of the test create is judged at its end."""
        with capture_findings() as findings:
            yield
        _fail_for(findings)


def _fail_for(findings: list[Finding]) -> None:
    if findings:
        pytest.fail(_text(findings), pytrace=False)


def _text(findings: Iterable[Finding]) -> str:
    return "\n\n".join(str(finding) for finding in findings)
