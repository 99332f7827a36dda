"""The pictures of the status page, as SVG in the page itself. What they show is in their labels as well.

A status is never told by colour alone: its marks differ in height, and its icons in shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from launcher.exporter.watched import Past
from launcher.plain_text import plain
from launcher.probe import Stage, Status

__all__ = ["columns", "icon", "meter", "stages_bar", "strip", "symbol"]

_HEIGHT = {Status.OK: 14, Status.WARNING: 20, Status.CRITICAL: 24, Status.UNKNOWN: 8}
_SHAPES = {
    Status.OK: '<circle cx="8" cy="8" r="8"/><path class="on" d="M4.5 8.2 7 10.7l4.6-5"/>',
    Status.WARNING: '<path d="M8 .6 16 15.2H0z"/><path class="on" d="M8 5.6v4.6m0 2.2v.3"/>',
    Status.CRITICAL: '<path d="M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z"/>'
    '<path class="on" d="m5 5 6 6m0-6-6 6"/>',
    Status.UNKNOWN: '<rect width="16" height="16" rx="3"/>'
    '<path class="on" d="M5.8 6.1c.2-3 4.5-2.8 4.4 0-.1 1.6-2.2 1.6-2.2 3.2m0 2.4v.3"/>',
}
_ICON_COLOURS = {
    Status.OK: "#1a7f45", Status.WARNING: "#b26a00", Status.CRITICAL: "#c0392b", Status.UNKNOWN: "#66727f",
}  # fmt: skip


def symbol(status: Status) -> str:
    """The mark of a status, beside its name."""
    return (
        f'<svg class="symbol {status.name.lower()}" viewBox="0 0 16 16" aria-hidden="true">'
        f"{_SHAPES[status]}</svg>"
    )


def icon(status: str) -> str | None:
    """The icon of the page in a browser's tab; None for what is no status."""
    if status.upper() not in Status.__members__:
        return None
    shown = Status[status.upper()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 18 18" fill="{_ICON_COLOURS[shown]}">'
        f"{_SHAPES[shown]}</svg>".replace(
            'class="on"', 'fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round"'
        )
    )


# Checks gone by


def strip(past: Sequence[Past], places: int) -> str:
    """One mark for each check, the newest at the right; runs of one status tell when they were."""
    shown = list(past)[-places:]
    at = places - len(shown)
    drawn = []
    for status, group in groupby(shown, lambda one: one.status):
        run = list(group)
        drawn.append(_run(status, run, at))
        at += len(run)
    label = escape(_told(shown))
    return (
        f'<svg class="strip" viewBox="0 0 {places * 5} 24" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{_empty(places - len(shown))}{"".join(drawn)}</svg>'
    )


def _run(status: Status, run: list[Past], at: int) -> str:
    height = _HEIGHT[status]
    marks = f"M{at * 5 + 2} 24v-{height}" + f"m5 {height}v-{height}" * (len(run) - 1)
    when = moment(run[0].at) if len(run) == 1 else f"{moment(run[0].at)} to {moment(run[-1].at)}"
    text = f"{status.name} {when}" + (f": {run[-1].text}" if run[-1].text else "")
    return f'<path class="{status.name.lower()}" d="{marks}"><title>{escape(plain(text))}</title></path>'


def _empty(count: int) -> str:
    return f'<path class="none" d="M2 24v-3{"m5 3v-3" * (count - 1)}"/>' if count else ""


def _told(past: Sequence[Past]) -> str:
    """The strip in words: "60 checks, oldest first: 50 OK, 3 CRITICAL, 7 OK"."""
    if not past:
        return "No checks yet"
    runs = [f"{len(list(group))} {status.name}" for status, group in groupby(past, lambda one: one.status)]
    shown = runs if len(runs) <= 12 else [f"{len(runs) - 12} changes, then", *runs[-12:]]
    return f"{len(past)} checks, oldest first: {', '.join(shown)}"


def moment(at: float) -> str:
    """Seconds since the epoch for people: 2026-01-31 12:00:05 UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


# How long stages take


def stages_bar(stages: Iterable[tuple[Stage, float]]) -> str:
    """The stages of one check side by side, as long as they took; a legend follows in the page."""
    known = list(stages)
    total = sum(seconds for _, seconds in known) or 1.0
    at, drawn = 0.0, []
    for stage, seconds in known:
        width = seconds / total * 1000
        drawn.append(f'<rect class="s-{stage}" x="{at:.1f}" width="{max(width - 3, 0.5):.1f}" height="10"/>')
        at += width
    return (
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(drawn)}</svg>"
    )


def columns(past: Sequence[Past]) -> str:
    """The stages of many checks, a column for each, with the seconds at the left."""
    most = _round_up(max((sum(seconds for _, seconds in one.stages) for one in past), default=0.0))
    width = 540 / max(len(past), 24)
    drawn = [_column(one, 60 + (i * width), width, most) for i, one in enumerate(past)]
    lines = "".join(
        f'<path class="grid" d="M60 {y}H600"/><text x="54" y="{y + 4}">{most * share:g}</text>'
        for share, y in ((0.0, 150), (0.5, 80), (1.0, 10))
    )
    seconds = sorted(one.seconds for one in past)
    label = (
        f"Seconds of {len(past)} checks: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f}"
        if past
        else "No checks yet"
    )
    return (
        f'<svg class="columns" viewBox="0 0 600 160" role="img" aria-label="{label}">'
        f"{lines}{''.join(drawn)}</svg>"
    )


def _column(one: Past, x: float, width: float, most: float) -> str:
    y, drawn = 150.0, []
    for stage, seconds in one.stages:
        height = seconds / most * 140
        y -= height
        drawn.append(
            f'<rect class="s-{stage}" x="{x:.1f}" y="{y:.1f}" width="{width * 0.8:.1f}" '
            f'height="{height:.1f}"/>'
        )
    title = escape(f"{moment(one.at)}: {one.status.name}, {one.seconds:.2f} s")
    return f"<g><title>{title}</title>{''.join(drawn)}</g>"


def _round_up(seconds: float) -> float:
    """The end of a scale: 1, 2 or 5 times a power of ten."""
    steps = (step * 10.0**power for power in range(-3, 6) for step in (1, 2, 5))
    return next((step for step in steps if step >= seconds), 1e6)


def meter(share: float) -> str:
    """How much of something is left, from 0 to 1."""
    width = 100 * min(1.0, max(0.0, share))
    return (
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="all" width="100" height="6"/><rect class="left" width="{width:.1f}" height="6"/></svg>'
    )
