"""The status page: all targets, what needs attention first; and a page for each.

It is made on the server, runs no script, and renews itself every minute. Whatever a target, a bot or a page
has said is escaped here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from launcher.exporter.charts import columns, meter, moment, stages_bar, strip, symbol
from launcher.exporter.exporter import Exporter
from launcher.exporter.watched import SHOWN, AtWork, Past, Watched
from launcher.plain_text import plain
from launcher.probe import CheckResult, Stage, Status
from launcher.probe.results import worst
from launcher.short_text import counted

__all__ = ["alone", "details", "overview"]

_FIRST = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING, Status.OK)
_SAID = {
    Status.OK: "works", Status.WARNING: "works, with a warning", Status.CRITICAL: "is down",
    Status.UNKNOWN: "was not tested",
}  # fmt: skip
_STAGES = {
    Stage.PARSE: "read link", Stage.RESOLVE: "find bot", Stage.BOT_APP: "find app",
    Stage.WEB_VIEW: "web view", Stage.NAVIGATE: "load page", Stage.READY: "ready", Stage.METAPRO: "Metapro",
}  # fmt: skip
FAILURES = 20
"""Failures listed on the page of a target."""


def overview(exporter: Exporter) -> str:
    """`/`: every target."""
    watched = sorted(exporter.source.watched.values(), key=_importance)
    counts = Counter(one.last.status for one in watched if one.last is not None)
    tally = "".join(
        f'<li class="{"zero" if not counts[status] else ""}">{symbol(status)}'
        f"<b>{counts[status]}</b> {status.name}</li>"
        for status in _FIRST
    )
    waiting = len(watched) - counts.total()
    if waiting:
        tally += f"<li><b>{waiting}</b> not checked yet</li>"
    body = f"""<header><h1>Mini Apps</h1><p class="soft">{_headline(counts, waiting)}</p></header>
{_notices(exporter)}
<ul class="tally" aria-label="Targets by status">{tally}</ul>
<main>
<section aria-label="Targets" class="targets">{"".join(_card(exporter, one) for one in watched)}</section>
{_accounts(exporter)}
</main>"""
    status = worst([*counts, *([Status.UNKNOWN] if waiting else [])])
    return _page("Mini Apps", body, status, "")


def alone(page: str) -> str:
    """A page as a file that needs nothing beside it: with its style in it, and without links and renewal."""
    style = (files("launcher.exporter") / "style.css").read_text("utf-8")
    page = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", page, count=1)
    page = re.sub(r'<link rel="icon"[^>]*>|<meta http-equiv="refresh"[^>]*>', "", page)
    page = re.sub(r"<a [^>]*>(.*?)</a>", r"\1", page, flags=re.DOTALL)
    return page.replace("; the page renews itself every minute.\nMetrics</footer>", ".</footer>")


def details(exporter: Exporter, watched: Watched, past: Sequence[Past]) -> str:
    """`/targets/NAME`: one target, with the checks gone by in `past`."""
    status = watched.last.status if watched.last else Status.UNKNOWN
    body = f"""<header><p><a href="../">All targets</a></p>
<h1>{symbol(status)} {_text(watched.target.name)}</h1>
<p class="soft">{_standing(exporter, watched)}</p></header>
<main>
<section class="card"><h2>Last {counted(len(past), "check")}</h2>{strip(past, max(len(past), SHOWN))}
<p class="soft">{_share(past)}</p></section>
<section class="card"><h2>Seconds by stage</h2>{columns(past)}{_legend(past)}</section>
<section class="card"><h2>This check</h2>{_last(watched)}{_facts(exporter, watched)}</section>
{_failure(watched, "", shown=True)}
{_failures(past)}
</main>"""
    return _page(watched.target.name, body, status, "../")


def _page(title: str, body: str, status: Status, root: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="60">
<title>{status.name}: {_text(title)}</title>
<link rel="icon" href="{root}icon/{status.name.lower()}.svg">
<link rel="stylesheet" href="{root}style.css">
</head>
<body>
{body}
<footer>Made {moment(datetime.now(UTC).timestamp())}; the page renews itself every minute.
<a href="{root}metrics">Metrics</a></footer>
</body>
</html>
"""


def _headline(counts: Counter[Status], waiting: int) -> str:
    if not counts:
        return "The first checks are under way."
    known = {
        Status.OK: "Everything works.",
        Status.WARNING: "Everything works; something wants attention.",
        Status.UNKNOWN: "Nothing is known to be down, but not everything could be tested.",
        Status.CRITICAL: "Something is down.",
    }[worst(counts)]
    if not waiting:
        return known
    were = "was" if waiting == 1 else "were"
    rest = f"{waiting} of {waiting + counts.total()} targets {were} not checked yet."
    return f"{known.replace('Everything', 'What was checked')} {rest}"


def _importance(watched: Watched) -> tuple[int, str]:
    status = watched.last.status if watched.last else Status.UNKNOWN
    return _FIRST.index(status), watched.target.name


def _notices(exporter: Exporter) -> str:
    found = []
    if exporter.problem is not None:
        found.append(f"The target file was changed and cannot be used. {exporter.problem}")
    if exporter.source.problem is not None:
        found.append(f"Nothing new is known. {exporter.source.problem}")
    if exporter.history is not None and exporter.history.problem is not None:
        found.append(f"No history is kept: {exporter.history.problem}.")
    return "".join(f'<p class="notice" role="status">{_text(one)}</p>' for one in found)


# One target


def _card(exporter: Exporter, watched: Watched) -> str:
    name = _text(watched.target.name)
    last = watched.last
    status = last.status.name.lower() if last else "none"
    return f"""<article class="card {status}" aria-labelledby="t-{name}">
<h2 id="t-{name}">{symbol(last.status) if last else ""}<a href="targets/{name}">{name}</a>
<span class="status">{last.status.name if last else "not checked yet"}</span></h2>
{strip(watched.past, SHOWN)}
<p class="soft between"><span>{_share(watched.past)}</span><span>{_standing(exporter, watched)}</span></p>
{_last(watched)}
{_failure(watched, f"targets/{name}/", shown=last is not None and last.status is not Status.OK)}
{_facts(exporter, watched)}
</article>"""


def _standing(exporter: Exporter, watched: Watched) -> str:
    now = exporter.source.clock()
    age = watched.age(now)
    parts = [] if age is None else [f"checked {_span(age)} ago"]
    if watched.checking:
        parts.append("being checked now")
    elif watched.next_at is not None:
        parts.append(f"next in {_span(max(0.0, watched.next_at - now))}")
    return ", ".join(parts) or "waiting for its account"


def _share(past: Sequence[Past]) -> str:
    tested = [one for one in past if one.status is not Status.UNKNOWN]
    if not tested:
        return "never tested"
    good = sum(one.status is not Status.CRITICAL for one in tested)
    return f"{100 * good / len(tested):.4g} % up in {counted(len(tested), 'check')}"


def _last(watched: Watched) -> str:
    last = watched.last
    if last is None:
        return ""
    stages = [(one.stage, one.seconds) for one in last.stages]
    if not any(seconds for _, seconds in stages):
        return ""
    return f'{stages_bar(stages)}<ul class="legend">{_times(stages)}</ul>'


def _times(stages: Iterable[tuple[Stage, float]]) -> str:
    return "".join(
        f'<li><i class="s-{stage}"></i>{_STAGES[stage]} <b>{_seconds(seconds)}</b></li>'
        for stage, seconds in stages
    )


def _legend(past: Sequence[Past]) -> str:
    """The median of each stage."""
    times: dict[Stage, list[float]] = {}
    for one in past:
        for stage, seconds in one.stages:
            times.setdefault(stage, []).append(seconds)
    medians = [(stage, sorted(times[stage])[len(times[stage]) // 2]) for stage in Stage if stage in times]
    return f'<ul class="legend" aria-label="Median of each stage">{_times(medians)}</ul>'


def _facts(exporter: Exporter, watched: Watched) -> str:
    target, now = watched.target, exporter.source.clock()
    resolved = watched.resolved_age(now)
    certificate = watched.last.certificate_days if watched.last else None
    facts = {
        "every": _span(target.period),
        "as": f"{target.platform}, {target.host}",
        "account": target.account,
        "bot found": None if resolved is None else f"{_span(resolved)} ago",
        "certificate": None if certificate is None else f"{certificate:.0f} days",
    }
    told = "".join(
        f"<div><dt>{name}</dt><dd>{_text(fact)}</dd></div>" for name, fact in facts.items() if fact
    )
    return f'<dl class="facts">{told}</dl>'


def _failure(watched: Watched, folder: str, *, shown: bool) -> str:
    """The last failure: why, when, and how the page looked."""
    failure = watched.failure
    if failure is None:
        return ""
    title = _reason(failure) if shown else f"Last failure {moment(watched.failure_at)}"
    opened = " open" if shown else ""
    name, picture = _text(watched.target.name), ""
    place = folder or f"{name}/"
    report = f'<p><a href="{place}report">Report of this launch</a></p>' if watched.reported else ""
    if failure.screenshot is not None:
        picture = (
            f'<a href="{place}failure.png"><img src="{place}failure.png" loading="lazy" '
            f'alt="The page of {name} when the check failed"></a>'
        )
    return f"""<details class="failure {failure.status.name.lower()}"{opened}><summary>{title}</summary>
<div><div><p>{_text(_told(failure))}</p>
<p class="soft">{moment(watched.failure_at)}, {_text(failure.status.name)}: the app
{_SAID[failure.status]}.</p>{report}</div>{picture}</div></details>"""


def _reason(failure: CheckResult) -> str:
    stage = failure.failed
    return f"{_STAGES[stage.stage].capitalize()}: {stage.status.name}" if stage else ""


def _told(failure: CheckResult) -> str:
    stage = failure.failed
    return f"{stage.text[:1].upper()}{stage.text[1:].rstrip('.')}. {stage.remedy}".strip() if stage else ""


def _failures(past: Sequence[Past]) -> str:
    wrong = [one for one in reversed(past) if one.status is not Status.OK][:FAILURES]
    if not wrong:
        return ""
    rows = "".join(
        f"<tr><td>{symbol(one.status)} {one.status.name}</td><td>{moment(one.at)}</td>"
        f"<td>{_text(one.text)}</td></tr>"
        for one in wrong
    )
    return f"""<section class="card"><h2>Failures</h2><table>
<thead><tr><th>Status</th><th>When</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table></section>"""


# Accounts


def _accounts(exporter: Exporter) -> str:
    cards = "".join(_account(exporter, account) for account in exporter.source.accounts.values())
    return f'<section aria-label="Accounts"><h2>Accounts</h2><div class="accounts">{cards}</div></section>'


def _account(exporter: Exporter, account: AtWork) -> str:
    budget = account.budget
    if account.problem is not None:
        state = str(account.problem)
        if account.again_at is not None:
            state += f" Tried again in {_span(max(0.0, account.again_at - exporter.source.clock()))}."
    elif budget.paused_for:
        state = f"Telegram wants to be left alone for {_span(budget.paused_for)}."
    else:
        state = "at work" if account.up else "connecting"
    left = max(0.0, budget.left)
    return f"""<article class="card"><h3>{_text(account.label)}</h3>
<p>{_text(state)}</p>{meter(left / budget.most)}
<p class="soft">{left:.0f} of {budget.most:.0f} requests at once, {budget.per_minute:g} a minute;
targets: {len(account.watched)}, requests made: {account.requests}, flood waits: {account.flood_waits}.</p>
</article>"""


# Words


def _text(value: object) -> str:
    """What anybody may have written, for HTML."""
    return escape(plain(value))


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _seconds(seconds: float) -> str:
    if seconds < 0.0005:
        return "&lt;1 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
