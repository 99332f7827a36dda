"""`miniapp check`: are these Mini Apps available? For a person, a program, Nagios or a CI server."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from launcher.cli import options as given
from launcher.cli.output import show_json, show_line, show_table
from launcher.cli.progress import progress
from launcher.cli.written import writing

if TYPE_CHECKING:
    from launcher.probe import CheckResult, Targets
    from launcher.settings import Settings


def check(
    context: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(help="A target file (YAML), or links and @bots.", show_default=False)
    ],
    via: given.ViaOption = None,
    platform: given.PlatformOption = "android",
    host: Annotated[
        Literal["http", "browser", "none"],
        typer.Option(
            "--host", metavar="HOST", help="Of links: http, browser or none. A file says it itself."
        ),
    ] = "http",
    allow: given.AllowOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Of a file, check these targets only.")
    ] = None,
    as_nagios: Annotated[bool, typer.Option("--nagios", help="Write what Nagios reads of a plugin.")] = False,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit XML file.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE|DIR", help="Write a report of each launch: an HTML page, or several."
        ),
    ] = None,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Check Mini Apps once. Exit codes are Nagios's: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (not tested)."""
    from flows import MiniAppError
    from launcher.cli.reports import Reports
    from launcher.cli.running import run
    from launcher.probe import Status
    from launcher.probe.results import worst

    try:
        options = {"via": via, "platform": platform, "host": host, "allow": tuple(allow or ())}
        wanted = _targets(context, targets, only, account, **options)
        settings = given.settings_for(server or wanted.server)
        reports = Reports(report, [target.name for target in wanted.targets]) if report else None
        results = run(
            _check_all(settings, wanted, account, quiet=as_json or as_nagios, keep=reports is not None)
        )
        _write_junit(junit_file, results)
        if reports is not None:
            reports.write(results)
    except (MiniAppError, typer.BadParameter) as failure:
        _not_tested(str(failure), as_json=as_json)
        raise typer.Exit(Status.UNKNOWN) from None
    _show(results, as_json=as_json, as_nagios=as_nagios)
    raise typer.Exit(worst(result.status for result in results))


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _targets(
    context: typer.Context,
    given_targets: list[str],
    only: list[str] | None,
    account: str | None,
    **options: Any,
) -> Targets:
    """What is to be checked: one file, or links."""
    from flows import BadInput
    from launcher.probe import Targets, read_targets, target_of

    if any(_is_file(target) for target in given_targets):
        if len(given_targets) > 1:
            raise BadInput("A target file is checked alone.", "Name one file, or links.")
        if said := [f"--{name}" for name in options if _is_given(context, name)]:
            raise BadInput(f"{', '.join(said)} is of links.", "Write it into the target file.")
        return _chosen(read_targets(Path(given_targets[0]), account), only)
    numbered: dict[str, int] = {}
    made = []
    for link in given_targets:
        target = target_of(link, **options)
        numbered[target.name] = count = numbered.get(target.name, 0) + 1
        made.append(target if count == 1 else target.model_copy(update={"name": f"{target.name}-{count}"}))
    return Targets(targets=tuple(made))


def _is_file(target: str) -> bool:
    return target.endswith((".yaml", ".yml")) or ("://" not in target and Path(target).is_file())


def _chosen(targets: Targets, only: list[str] | None) -> Targets:
    from flows import BadInput

    if not only:
        return targets
    names = {target.name for target in targets.targets}
    if missing := set(only) - names:
        raise BadInput(
            f"No target is named {', '.join(sorted(missing))}.", f"There are: {', '.join(sorted(names))}."
        )
    return targets.model_copy(update={"targets": tuple(one for one in targets.targets if one.name in only)})


async def _check_all(
    settings: Settings, targets: Targets, account: str | None, *, quiet: bool, keep: bool
) -> list[CheckResult]:
    """Check all targets, account by account; their results in the order of the targets."""
    from launcher.cli.place import placed
    from launcher.probe.all_at_once import check_all

    total, numbers = len(targets.targets), count(1)
    async with placed(settings) as (sandbox, ready):
        with progress(quiet=quiet) as shown:

            def told(result: CheckResult) -> None:
                shown(number := next(numbers), total, f"{number}/{total} {result.target}")

            return await check_all(
                settings, targets, account=account, sandbox=sandbox, ready=ready, told=told,
                keep=(lambda _: True) if keep else None,
            )  # fmt: skip


def _write_junit(file: Path | None, results: list[CheckResult]) -> None:
    if file is None:
        return
    from launcher.probe.junit import junit

    with writing(file):
        file.write_text(junit(results), "utf-8")


def _not_tested(text: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"status": "UNKNOWN", "text": text, "targets": []})
        return
    from launcher.nagios_line import line

    show_line(line("UNKNOWN", text))


def _show(results: list[CheckResult], *, as_json: bool, as_nagios: bool) -> None:
    from launcher.probe.nagios import nagios
    from launcher.probe.results import worst

    if as_json:
        status = worst(result.status for result in results)
        show_json({"status": status.name, "targets": [result.to_json() for result in results]})
        return
    first, *others = nagios(results).split("\n")
    show_line(first)
    if as_nagios:
        for line in others:
            show_line(line)
    else:
        show_table(("target", "status", "stages", "what"), (_row(result) for result in results))


def _row(result: CheckResult) -> tuple[str, str, str, str]:
    stages = "  ".join(f"{stage.stage} {stage.seconds * 1000:.0f} ms" for stage in result.stages)
    return result.target, result.status.name, stages, result.text
