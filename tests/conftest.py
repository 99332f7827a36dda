"""What holds for all tests: how many run at once, how much Hypothesis tries, what is done without a part.

A test that needs more than Python's packages looks for it (on PATH, from PyPI, by apt) and, when it cannot be
had, calls `need`: it is skipped, listed by name, and fails the run where CI=true.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
_UNHURRIED: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("short", max_examples=30, **_UNHURRIED)
settings.register_profile("long", max_examples=500, **_UNHURRIED)  # `make fuzz`
settings.load_profile("short")

# eth-account's py_ecc raises the recursion limit of whoever imports it so far that JSON of many levels ends
# the process. Once it has been imported it does not do so again.
_limit = sys.getrecursionlimit()
with suppress(ImportError):
    importlib.import_module("py_ecc")
sys.setrecursionlimit(_limit)

_NOT_RUN = "not run: "


def need(part: str, reason: str) -> NoReturn:
    """Say that this test, or this whole module while it is imported, cannot run without `part`."""
    pytest.skip(f"{_NOT_RUN}{part}: {reason}", allow_module_level=True)


def pytest_xdist_auto_num_workers() -> int:
    """Two processes for each core: tests wait for connections and pages about half of their time."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: what looks for garbage need not go through them again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lost = _not_run(terminalreporter)
    if lost:
        terminalreporter.section("not run")
        for test, why in sorted(lost.items()):
            terminalreporter.line(f"{test}: {why}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Only the process that reports decides; xdist's workers have no terminal reporter."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and _not_run(reporter) and session.exitstatus in _PASSED:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def _not_run(reporter: Any) -> dict[str, str]:
    """What is missing, by the name of the test. Of a skip, `longrepr` is path, line and "Skipped: …"."""
    skips = ((report.nodeid, report.longrepr) for report in reporter.stats.get("skipped", ()))
    reasons = ((name, where[2].removeprefix("Skipped: ")) for name, where in skips if len(where) == 3)
    return {name: why.removeprefix(_NOT_RUN) for name, why in reasons if why.startswith(_NOT_RUN)}
