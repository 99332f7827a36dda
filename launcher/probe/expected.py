"""Holding what was found against what a target expects. What is not as expected raises Wrong; a certificate
that ends soon is noted, and the check goes on."""

from __future__ import annotations

from launcher.hosts.http import HttpReport
from launcher.hosts.launch_secrets import web_address
from launcher.hosts.observations import HostUnavailable
from launcher.inspection.checks import checks_of
from launcher.inspection.stages import Verdict
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.probe.course import Course, Wrong
from launcher.probe.results import Status
from launcher.probe.targets import Expectations

__all__ = ["judge_address", "judge_certificate", "judge_final_host", "judge_http", "judge_init_data"]

_CHECKS = {"form": "launch parameters", "age": "age", "signature": "signature", "hash": "hash"}


def judge_init_data(expect: Expectations, app: MiniApp, launcher: Launcher) -> None:
    """The named checks must pass; with `true` none that can be made may fail."""
    if not expect.init_data:
        return
    checks = {check.name: check for check in checks_of(launcher, app)}
    wanted = expect.init_data if isinstance(expect.init_data, tuple) else ()
    named = tuple(_CHECKS[name] for name in wanted)
    for name in named:
        if name not in checks:
            raise Wrong(Status.CRITICAL, f"{name}: the flow {app.flow} brings no init data to check.")
        if checks[name].verdict is Verdict.SKIPPED:
            raise Wrong(Status.UNKNOWN, f"{name} not checked: {checks[name].text}.", checks[name].remedy)
    for name in named or checks:
        if checks[name].verdict is Verdict.FAILED:
            raise Wrong(Status.CRITICAL, f"{name}: {checks[name].text}.", checks[name].remedy)


def judge_address(app: MiniApp) -> None:
    """The app is a page: no client opens anything else."""
    try:
        web_address(app.url)
    except HostUnavailable as failure:
        raise Wrong(Status.CRITICAL, str(failure)) from None


def judge_http(expect: Expectations, report: HttpReport) -> None:
    """What a look at the page has found."""
    if expect.status is not None:
        if report.status is None:
            raise Wrong(Status.CRITICAL, f"the page did not load: {report.failure}", "Look at its server.")
        if report.status != expect.status:
            raise Wrong(Status.CRITICAL, f"status {report.status}, expected {expect.status}")
    elif report.failure is not None:
        raise Wrong(Status.CRITICAL, f"the page did not load: {report.failure}", "Look at its server.")
    if expect.final_host is not None:
        judge_final_host(expect, report.host)
    if expect.text is not None and not report.text_found:
        raise Wrong(Status.CRITICAL, f'the text "{expect.text}" is not in the page')
    if expect.sdk and not report.sdks:
        raise Wrong(Status.CRITICAL, "the page loads no known Mini App library")


def judge_certificate(expect: Expectations, course: Course) -> None:
    """For how many days the page's certificate is valid. Too few are a warning and the check goes on: whether
    the app works is another question."""
    days, wanted = course.certificate_days, expect.certificate_days
    if wanted is None:
        return
    if days is None:
        text = f"there is no certificate to judge, expected one that is valid for {wanted:g} days"
        course.notes(Status.WARNING, text, "Serve the page over https.")
    elif days < wanted:
        text = f"the certificate is valid for {days:.1f} more days, expected {wanted:g}"
        course.notes(Status.WARNING, text, "Renew it.")


def judge_final_host(expect: Expectations, host: str | None) -> None:
    """The page's host after all redirects."""
    if expect.final_host is not None and host != expect.final_host.lower():
        raise Wrong(
            Status.CRITICAL,
            f"the page is on {host}, expected {expect.final_host}",
            "Look at its redirects, and at the URL that the bot sets for the app.",
        )
