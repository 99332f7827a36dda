"""Results as a JUnit XML file, which CI servers show as tests: a test case per target.

What fails is a failure; what was not tested is an error, and a warning is passed with its text as output.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from launcher.probe.results import CheckResult, Status

__all__ = ["junit"]


def junit(results: Sequence[CheckResult]) -> str:
    """The XML document's text."""
    suite = ElementTree.Element(
        "testsuite",
        name="miniapp check",
        tests=str(len(results)),
        failures=str(sum(result.status is Status.CRITICAL for result in results)),
        errors=str(sum(result.status is Status.UNKNOWN for result in results)),
        skipped="0",
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        suite.append(_case(result))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _case(result: CheckResult) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname="miniapp", name=result.target, time=f"{result.seconds:.3f}"
    )
    kind = {Status.CRITICAL: "failure", Status.UNKNOWN: "error"}.get(result.status)
    if kind is not None:
        ElementTree.SubElement(case, kind, message=_allowed(result.text)).text = _allowed(_stages(result))
    else:
        ElementTree.SubElement(case, "system-out").text = _allowed(f"{result.text}\n{_stages(result)}")
    return case


def _stages(result: CheckResult) -> str:
    return "\n".join(
        f"{stage.stage}: {stage.status.name} {stage.seconds:.3f} s {stage.text}".rstrip()
        for stage in result.stages
    )


def _allowed(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
