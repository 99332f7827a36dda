"""`miniapp inspect FILE.txt --jsonl`: many links, one line of JSON for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launcher.cli.output import say
from launcher.cli.progress import progress
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
    from launcher.budget import budget_for
    from launcher.inspection.batch import digest, done_already, inspect_all, links_in
    from launcher.launcher import Launcher
    from launcher.masks import masked_target

    links = links_in(source)
    out = out or source.with_suffix(".jsonl")
    if out.exists() and out.samefile(source):
        raise typer.BadParameter("The results would overwrite the links: name another file.", param_hint="-o")
    done = done_already(out)
    how = _how(settings, account, options)
    waiting = [link for link in links if digest(link, how) not in done]
    failed = sum(not done.get(digest(link, how), True) for link in links)
    untested = 0
    there = len(links) - len(waiting)
    numbers = count(there + 1)
    with progress() as shown:

        def told(inspection: Inspection) -> None:
            nonlocal failed, untested
            target = _named(inspection.target, masked_target(inspection.target), links)
            if isinstance(inspection.failure, Transient):
                untested += 1
            elif not inspection.ok:
                failed += 1
                say(f"{target}: {_trouble(inspection)}")
            shown(number := next(numbers), len(links), f"{number}/{len(links)} {target}")

        if waiting:
            async with Launcher(settings, account) as launcher:
                budget = budget_for(launcher.server, per_minute)
                await inspect_all(
                    launcher, waiting, out, budget=budget, how=how, told=told, paused=_say_pause, **options
                )
    inspected = len(waiting) - untested
    say(f"{out}: {inspected} inspected, {there} were there; {failed} are not as they should be.")
    if untested:
        say(f"{untested} met a passing trouble of Telegram's: run this again to inspect them.")
    if failed or untested:
        raise typer.Exit(1)


def _how(settings: Settings, account: str | None, options: dict[str, Any]) -> str:
    """What a result depends on beside its link."""
    from flows import Question

    allowed = [str(one) for one in Question if options["consent"].answer(one) == "allow"]
    rest = [(name, value) for name, value in sorted(options.items()) if name not in ("consent", "reveal")]
    return repr((settings.server, account, allowed, rest))


def _named(link: str, masked: str, links: Sequence[str]) -> str:
    """A link as it is told. One that is not shown whole is told by its place among the links, too."""
    return link if masked == link else f"{masked} (link {links.index(link) + 1})"


def _trouble(inspection: Inspection) -> str:
    if inspection.failure is not None:
        return spoken(inspection.failure)
    return "; ".join(check.text for check in inspection.checks if check.verdict == "failed")


def _say_pause(seconds: float) -> None:
    say(f"Telegram asks for a pause of {seconds:.0f} s; what is done by now is kept.")
