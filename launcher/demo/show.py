"""The demonstration on a terminal: a line for each step, the table of launches, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from launcher.demo.report import DemoReport, LaunchReport, Step
from launcher.metapro import print_report
from launcher.plain_text import plain

__all__ = ["print_demo", "print_step"]

NEXT = (
    (
        "miniapp inspect 'https://t.me/demo_bot/app?startapp=hello' --server sandbox",
        "one launch, stage by stage",
    ),
    (
        "miniapp open @demo_bot --via menu_button --for 130 --server sandbox",
        "an app, kept alive for two minutes",
    ),
    (
        "miniapp drive https://t.me/metapro_demo_bot/app --server sandbox",
        "an app that is integrated with Metapro, step by step",
    ),
    ("miniapp check t.me/demo_bot/app --server sandbox", "is this app available? For Nagios and its kin too"),
    ("miniapp sandbox --ready-file sandbox.json", "a data centre for your own bot, client and app"),
)

WIDE = 118
"""From this many columns on the table has all of its columns."""

_COLUMNS = ("Flow", "Request", "Client", "Query", "The page learns", "Prolongs", "Closed", "Time", "")
_NARROW = tuple(column for column in _COLUMNS if column not in ("Client", "The page learns", "Time"))


def print_step(step: Step, console: Console) -> None:
    """One line for what was just done."""
    line = Text(f"{step.seconds:6.2f} s  ", style="dim")
    line.append(f"{plain(step.title):<16}", style="bold cyan")
    line.append(plain(step.detail), style="default")
    console.print(line, soft_wrap=True)


def print_demo(report: DemoReport, console: Console) -> None:
    """The table of launches, what was not as documented, and what to try next."""
    console.print()
    console.print(_table(report, console.width >= WIDE))
    if report.reveal:
        _print_urls(report, console)
    if report.metapro is not None:
        print_report(report.metapro, console)
    for problem in _problems(report):
        console.print(problem, soft_wrap=True)
    console.print(_verdict(report))
    if report.folder is not None:
        console.print(Text(f"Pictures of all apps:   {report.folder / 'index.html'}"), soft_wrap=True)
    if report.doors is not None and report.doors.status_page is not None:
        console.print(Text(f"A launch as a report:   {report.doors.launch}"), soft_wrap=True)
        console.print(Text(f"Their status page:      {report.doors.status_page}"), soft_wrap=True)
    console.print(Text("\nWhat to try next", style="bold"))
    for command, what in NEXT:
        console.print(Text.assemble("  ", (command, "cyan")), soft_wrap=True)
        console.print(Padding(Text(what, style="dim"), (0, 0, 0, 6)))


def _table(report: DemoReport, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in _COLUMNS if wide else _NARROW:
        table.add_column(
            heading,
            justify="right" if heading in ("Prolongs", "Time") else "left",
            no_wrap=heading not in ("Client", "The page learns"),
        )
    for launch in report.launches:
        _add(table, launch, launch.flow.replace("_", " "))
    table.add_section()
    _add(table, report.expiry, "left to expire")
    return table


def _add(table: Table, launch: LaunchReport, name: str) -> None:
    cells = {"Flow": Text(name, style="bold")} | _cells(launch)
    table.add_row(*(cells[str(column.header)] for column in table.columns))


def _cells(launch: LaunchReport) -> dict[str, Text]:
    view = launch.web_view
    who = ", ".join(launch.identity).replace("chat_join_request_query_id", "request")
    return {
        "Request": Text(launch.request.removeprefix("messages.")),
        "Client": Text(_client(launch), style="dim"),
        "Query": Text("yes" if view and view.query_id is not None else "no"),
        "The page learns": Text(who or "nobody"),
        "Prolongs": Text(str(launch.prolongs or "-")),
        "Closed": Text(launch.closed or "-"),
        "Time": Text(f"{launch.seconds:.2f} s", style="dim"),
        "": Text("✓", style="green") if launch.ok else Text("✗", style="bold red"),
    }


def _client(launch: LaunchReport) -> str:
    mode = "" if launch.parameters.mode == "fullsize" else str(launch.parameters.mode)
    return " ".join(filter(None, (launch.parameters.platform, mode, launch.theme)))


def _print_urls(report: DemoReport, console: Console) -> None:
    for launch in (*report.launches, report.expiry):
        if launch.web_view is not None:
            line = Text.assemble((f"{launch.flow}  ", "bold"), plain(launch.web_view.url))
            console.print(line, soft_wrap=True)


def _problems(report: DemoReport) -> Iterator[Text]:
    """What was not as documented, one line each."""
    for launch in (*report.launches, report.expiry):
        name = "expiry" if launch is report.expiry else launch.flow
        if launch.error is not None:
            yield _problem(name, launch.error)
        for check in launch.checks:
            if not check.ok:
                yield _problem(name, f"not so: {check.text}. Found: {check.found or 'the opposite'}")
    for check in report.checks:
        if not check.ok:
            yield _problem("demo", f"not so: {check.text}. Found: {check.found or 'the opposite'}")


def _problem(name: str, text: str) -> Text:
    return Text.assemble(("✗ ", "bold red"), (f"{name}: ", "bold"), plain(text))


def _verdict(report: DemoReport) -> Text:
    good = sum(launch.ok for launch in report.launches)
    done = [check for launch in (*report.launches, report.expiry) for check in launch.checks]
    passed = sum(check.ok for check in (*done, *report.checks))
    text = (
        f"{good} of {len(report.launches)} flows as documented, {passed} of {len(done) + len(report.checks)} "
        f"checks passed, {report.seconds:.2f} s."
    )
    return Text(text, style="bold green" if report.ok else "bold red")
