"""The launch over time: one lane for each kind of thing that happened, as bars and ticks.

Places are percentages, so that the chart is as wide as the page. Each lane says in words what it draws; the
tables of the report have every single one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from launcher.report.markup import Html, tag
from launcher.report.saved import SavedLaunch

__all__ = ["duration", "timeline"]

_STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
_NARROWEST = 0.4
"""Percent of the width that a bar has at least."""
_MARKS = 400
"""In a lane; more are not told apart."""


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    seconds: float
    title: str
    bad: bool = False


def timeline(saved: SavedLaunch) -> Html | None:
    """The chart; None when nothing happened."""
    lanes = [(name, title, marks) for name, title, marks in _lanes(saved) if marks]
    if not lanes:
        return None
    whole = _rounded_up(max(mark.at + mark.seconds for _, _, marks in lanes for mark in marks))
    drawn = [_lane(name, title, marks, whole) for name, title, marks in lanes]
    return tag("div", drawn, _axis(whole), class_="timeline")


def _lanes(saved: SavedLaunch) -> list[tuple[str, str, list[_Mark]]]:
    outgoing = [event for event in saved.events if event.direction == "outgoing"]
    incoming = [event for event in saved.events if event.direction == "incoming"]
    return [
        (
            "telegram",
            "Telegram",
            [_Mark(one.at, one.seconds, one.method, one.error is not None) for one in saved.exchanges],
        ),
        (
            "network",
            "Network",
            [
                _Mark(
                    one.at, (one.ms or 0) / 1000, f"{one.method} {one.path}", _failed(one.status, one.failure)
                )
                for one in saved.network
            ],
        ),
        ("outgoing", "From the page", [_Mark(one.at, 0, one.name) for one in outgoing]),
        ("incoming", "To the page", [_Mark(one.at, 0, one.name) for one in incoming]),
        ("seen", "Seen", [_Mark(one.at, 0, one.kind, True) for one in saved.seen]),
        (
            "console",
            "Console",
            [_Mark(one.at, 0, one.level, one.level == "error") for one in saved.console],
        ),
    ]


def _failed(status: int | None, failure: str | None) -> bool:
    return failure is not None or (status is not None and status >= 400)


def _lane(name: str, title: str, marks: Sequence[_Mark], whole: float) -> Html:
    shapes = [_shape(mark, whole) for mark in marks[:_MARKS]]
    first, last = marks[0].at, max(mark.at + mark.seconds for mark in marks)
    words = f"{title}: {len(marks)}, from {duration(first)} to {duration(last)}"
    chart = tag("svg", shapes, role="img", aria_label=words, class_="lane", width="100%", height="22")
    label = tag("span", title, tag("b", len(marks)), class_="label")
    return tag("div", label, chart, class_=f"row {name}")


def _shape(mark: _Mark, whole: float) -> Html:
    place = min(100.0 - _NARROWEST, mark.at / whole * 100)
    width = max(_NARROWEST, min(100.0 - place, mark.seconds / whole * 100))
    words = f"{mark.title}, {duration(mark.at)}"
    if mark.seconds:
        words += f", took {duration(mark.seconds)}"
    return tag(
        "rect",
        tag("title", words),
        x=f"{place:.2f}%",
        width=f"{width:.2f}%",
        y="3",
        height="16",
        rx="2",
        class_="bad" if mark.bad else None,
    )


def _axis(whole: float) -> Html:
    ticks = [tag("span", duration(whole * part / 4)) for part in range(5)]
    return tag("div", ticks, class_="axis", aria_hidden="true")


def _rounded_up(seconds: float) -> float:
    """A round number of seconds, not below."""
    unit = 0.001
    while unit * 10 < seconds:
        unit *= 10
    return next((unit * step for step in _STEPS if unit * step >= seconds), unit * 10)


def duration(seconds: float) -> str:
    """In the unit that reads best."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 60 else f"{seconds / 60:.0f} min {seconds % 60:.0f} s"
