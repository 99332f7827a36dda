"""`miniapp inspect FILE.txt --jsonl`: many links, one line of JSON for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launcher.cli.output import say
from launcher.cli.wording import spoken

if TYPE_CHECKING:
    from launcher.inspection import Inspection
    from launcher.settings import Settings

__all__ = ["run_batch"]


async def run_batch(
    settings: Settings,
    account: str | None,
    source: Path,
    out: Path | None,
    per_minute: float | None,
    options: dict[str, Any],
) -> None:
    """Inspect what the output file has not; raises typer.Exit when not every app is as it should be."""
    from flows import Transient
    from flows.launch_params import mask_init_data
    from launcher.budget import budget_for
    from launcher.inspection.batch import done_already, inspect_all, links_in
    from launcher.launcher import Launcher
    from launcher.plain_text import plain

    links = links_in(source)
    out = out or source.with_suffix(".jsonl")
    if out.exists() and out.samefile(source):
        raise typer.BadParameter("The results would overwrite the links: name another file.", param_hint="-o")
    done = done_already(out)
    waiting = [link for link in links if mask_init_data(link) not in done]
    failed = sum(not done.get(mask_init_data(link), True) for link in links)
    untested = 0
    with _progress(len(links), len(links) - len(waiting)) as advance:

        def told(inspection: Inspection) -> None:
            nonlocal failed, untested
            if isinstance(inspection.failure, Transient):
                untested += 1
            else:
                failed += not inspection.ok
                if not inspection.ok:
                    say(f"{plain(mask_init_data(inspection.target))}: {_trouble(inspection)}")
            advance(inspection.target)

        if waiting:
            async with Launcher(settings, account) as launcher:
                budget = budget_for(launcher.server, per_minute)
                await inspect_all(
                    launcher, waiting, out, budget=budget, told=told, paused=_say_pause, **options
                )
    inspected, there = len(waiting) - untested, len(links) - len(waiting)
    say(f"{out}: {inspected} inspected, {there} were there; {failed} are not as they should be.")
    if untested:
        say(f"{untested} met a passing trouble of Telegram's: run this again to inspect them.")
    if failed or untested:
        raise typer.Exit(1)


def _trouble(inspection: Inspection) -> str:
    if inspection.failure is not None:
        return spoken(inspection.failure)
    return "; ".join(check.text for check in inspection.checks if check.verdict == "failed")


def _say_pause(seconds: float) -> None:
    say(f"Telegram asks for a pause of {seconds:.0f} s; what is done by now is kept.")


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from launcher.plain_text import plain

    console = Console(stderr=True, markup=False)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total, completed=done)
        yield lambda target: bar.update(task, advance=1, description=plain(target))
