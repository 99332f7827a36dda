"""A test that lacks a part is reported by name, and fails the run only where CI=true."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

LACKING = """
import pytest
from conftest import need

def test_has_all():
    pass

def test_lacks_a_part():
    need("frobnicator", "it is not on PATH")

@pytest.mark.skip(reason="another kind of skip")
def test_is_skipped():
    pass
"""
MODULE = """
from conftest import need
need("browser", "it cannot be installed")

def test_it():
    pass
"""
SKIPPED = """
import pytest

@pytest.mark.skip(reason="another kind of skip")
def test_is_skipped():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project of its own with this project's conftest.

    It runs inside a test, where the scope of pytest-playwright's soft assertions is open already.
    """
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    return pytester


@pytest.mark.parametrize(
    ("ci", "workers", "code"),
    [
        pytest.param("true", "0", 1, id="gate"),
        pytest.param("true", "2", 1, id="gate of two processes", marks=pytest.mark.slow),
        pytest.param("false", "0", 0, id="no gate"),
    ],
)
def test_what_was_not_run_is_named(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, workers: str, code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    project.makepyfile(test_lacking=LACKING, test_module=MODULE)
    result = project.runpytest("-p", "no:playwright", "-n", workers)
    assert result.ret == code
    result.assert_outcomes(passed=1, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*= not run =*",
            "test_lacking.py::test_lacks_a_part: frobnicator: it is not on PATH",
            "test_module.py: browser: it cannot be installed",
        ],
        consecutive=True,
    )


def test_other_skips_are_none_of_it(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    project.makepyfile(SKIPPED)
    result = project.runpytest("-p", "no:playwright")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*not run*")


def test_a_failure_stays_one(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    project.makepyfile(LACKING + "\ndef test_fails():\n    raise SystemError\n")
    result = project.runpytest("-p", "no:playwright")
    assert result.ret == 1
    result.assert_outcomes(passed=1, skipped=2, failed=1)
