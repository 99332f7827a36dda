"""A drive on a terminal: a row for each step, what to do about what failed, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from launcher.metapro.report import DriveReport, Outcome, StepResult, Verdict
from launcher.plain_text import plain

__all__ = ["print_report", "print_steps"]

_MARKS = {
    Verdict.PASS: ("✓ pass", "green"),
    Verdict.FAIL: ("✗ fail", "bold red"),
    Verdict.UNVERIFIED: ("~ unverified", "yellow"),
    Verdict.SKIPPED: ("- skipped", "dim"),
}
_COLUMNS = ("Step", "What", "Layer", "Verdict", "HTTP", "Time", "Found")
_NARROW = ("Step", "Verdict", "HTTP", "Found")
WIDE = 118
"""From this many columns on the table has all of its columns."""
_COLOURS = {Outcome.PASS: "green", Outcome.UNVERIFIED: "yellow", Outcome.FAIL: "red", Outcome.UNTESTED: "red"}


def print_report(report: DriveReport, console: Console) -> None:
    """The table, the remedies, the findings that fail nothing, the assumptions, and the verdict."""
    print_steps(report.steps, console)
    for line in _notes(report):
        console.print(line, soft_wrap=True)
    if report.model:
        console.print(Text(f"Driven against: {plain(report.model)}", style="yellow"), soft_wrap=True)
    console.print(_verdict(report), soft_wrap=True)


def print_steps(steps: tuple[StepResult, ...], console: Console) -> None:
    """A row for each step that was made; of those that were skipped a line for each reason, with what to do
    about it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in _COLUMNS if console.width >= WIDE else _NARROW:
        right = heading in ("HTTP", "Time")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "Found")
    for step in steps:
        if step.verdict is not Verdict.SKIPPED:
            cells = dict(zip(_COLUMNS, _row(step), strict=True))
            table.add_row(*(cells[str(column.header)] for column in table.columns))
    console.print(table)
    skipped = [step for step in steps if step.verdict is Verdict.SKIPPED]
    for reason in dict.fromkeys(step.cause for step in skipped):
        alike = [step for step in skipped if step.cause == reason]
        ids = " ".join(step.id for step in alike)
        # what was skipped because of another step has that one's remedy
        remedy = "" if reason.startswith("because ") else plain(alike[0].remedy)
        told = f"- skipped, {plain(reason)}: {ids}{remedy and f' ({remedy})'}"
        console.print(Text(told, style="dim"), soft_wrap=True)


def _row(step: StepResult) -> Iterator[Text]:
    mark, style = _MARKS[step.verdict]
    yield Text(step.id, style="bold")
    yield Text(step.name)
    yield Text(step.layer, style="dim")
    yield Text(mark, style=style)
    yield Text(str(step.http_status or ""))
    yield Text(f"{step.seconds:.2f} s", style="dim")
    yield Text(plain(step.cause))


def _notes(report: DriveReport) -> Iterator[Text]:
    for step in report.steps:
        if step.verdict is Verdict.FAIL:
            name = (f"{step.id} ({step.layer}): ", "bold")
            yield Text.assemble(("✗ ", "bold red"), name, plain(step.remedy))
    if any(step.warnings for step in report.steps):
        yield Text("! marks what was found and fails nothing", style="dim")
    for step in report.steps:
        for warning in step.warnings:
            yield Text.assemble(("! ", "yellow"), (f"{step.id}: ", "bold"), plain(warning))
    resting = [step for step in report.steps if step.assumption]
    if resting:
        yield Text("~ marks what is as it should be, if what it rests on is so", style="dim")
    for assumption in dict.fromkeys(step.assumption for step in resting):
        ids = " ".join(step.id for step in resting if step.assumption == assumption)
        yield Text.assemble(("~ ", "yellow"), (f"{ids}: ", "bold"), plain(assumption))


def _verdict(report: DriveReport) -> Text:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items() if number)
    text = f"{report.outcome}: {counts}; {report.requests} requests, {report.seconds:.2f} s."
    return Text(text, style=f"bold {_COLOURS[report.outcome]}")
