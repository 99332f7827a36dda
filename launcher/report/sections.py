"""The sections of the page, in the order in which a person asks: what happened, why, what exactly."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from launcher.inspection.readings import agreement, differing, reader
from launcher.report.markup import Child, Html, join, tag
from launcher.report.saved import (
    SavedEvent,
    SavedExchange,
    SavedFailure,
    SavedJudgement,
    SavedLaunch,
)
from launcher.report.timeline import duration, timeline
from launcher.short_text import as_text, shortened

__all__ = ["all_of", "heading", "title"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SHORT = 100
"""Characters of a value that needs no unfolding."""
_TIMES = ("time", "since", "took")
"""Columns that are not broken."""
_FEW = 12
"""Fields of an object that is shown in one line."""
_GOOD = ("passed", "pass", "ok", "yes")
_BAD = ("failed", "fail", "critical")


def all_of(saved: SavedLaunch) -> list[tuple[str, str, Html | None]]:
    """Name, title and content of each section; what there is nothing of has none."""
    return [
        ("summary", "What happened", _summary(saved)),
        ("pictures", "Screenshots", _pictures(saved)),
        ("steps", "Metapro steps", _steps(saved)),
        ("timeline", "Timeline", timeline(saved)),
        ("link", "The link", _link(saved)),
        ("bot", "The bot", _values(saved.bot)),
        ("app", "The app", _values(saved.app)),
        ("questions", "The questions", _questions(saved)),
        ("requests", "Requests to Telegram", _exchanges(saved.exchanges)),
        ("answer", "Telegram's answer", _values(saved.answer)),
        ("checks", "Checks", _checks(saved)),
        ("launch-parameters", "Launch parameters", _values(saved.launch_params)),
        ("init-data", "Init data", _values(saved.init_data)),
        ("events", "Events", _events(saved)),
        ("unanswered", "Unanswered requests of the page", _unanswered(saved)),
        ("seen", "Seen on the page", _seen(saved)),
        ("console", "Console", _console(saved)),
        ("network", "Network", _network(saved)),
    ]


# The top


def title(saved: SavedLaunch) -> str:
    name = (saved.bot or {}).get("username")
    return f"@{name}" if name else saved.target


def heading(saved: SavedLaunch) -> Html:
    """The verdict, the target, and a warning on a page with secrets."""
    warning = tag(
        "p",
        tag("strong", "This report holds secrets."),
        " Whoever has its launch URL or init data is this user, as far as the app's server knows.",
        class_="secret",
        role="note",
    )
    word, kind = _verdict(saved)
    return tag(
        "header",
        warning if saved.revealed else None,
        tag("p", tag("span", word, class_=f"verdict {kind}"), class_="kicker"),
        tag("h1", title(saved)),
        tag("p", tag("code", saved.target), class_="target"),
    )


def _verdict(saved: SavedLaunch) -> tuple[str, str]:
    if saved.judgement is not None and saved.judgement.verdict != "passed":
        return saved.judgement.verdict.capitalize(), "bad" if saved.judgement.verdict == "failed" else "warn"
    if not saved.opened:
        return "Not opened", "bad"
    return ("Opened", "good") if saved.ok else ("Opened, with problems", "warn")


def _summary(saved: SavedLaunch) -> Html:
    app = saved.app or {}
    facts: list[tuple[str, Child]] = [
        ("when", saved.when.strftime("%Y-%m-%d %H:%M:%S %Z")),
        ("opened by", saved.opened_by and f"a link in the page of {saved.opened_by}"),
        ("server", saved.server),
        ("client", _client(saved)),
        ("way", _joined(app.get("flow"), app.get("method"))),
        ("options", ", ".join(f"{name}={as_text(value)}" for name, value in saved.options.items())),
        ("closed", _closed(saved)),
        ("lasted", duration(saved.seconds)),
        ("prolonged", f"{saved.prolongs} times" if saved.prolongs else None),
        *(
            (name.replace("_", " "), _of_page(name, value))
            for name, value in (saved.page or {}).items()
            if value
        ),
    ]
    stopped = _failure(saved.failure, saved.stopped_at)
    return join([_judgement(saved.judgement), stopped, _list(facts), _counts(saved)])


def _of_page(name: str, value: Any) -> Child:
    """What came of looking at the page, with its units."""
    if isinstance(value, dict):
        value = {name: _in_time(one) for name, one in value.items() if one is not None}
    if name == "size" and isinstance(value, int):
        return f"{value} bytes"
    return value if isinstance(value, str) else _shown(value)


def _in_time(seconds: Any) -> Any:
    return duration(seconds) if isinstance(seconds, float) else seconds


def _client(saved: SavedLaunch) -> str:
    version = (saved.launch_params or {}).get("version")
    mode = saved.parameters.get("mode")
    return ", ".join(
        str(part) for part in (saved.platform, mode, version and f"Web App API {version}") if part
    )


def _joined(*parts: Any) -> str:
    return ": ".join(str(part) for part in parts if part)


def _closed(saved: SavedLaunch) -> str | None:
    if saved.closed is None:
        return "it was still open" if saved.opened else None
    return saved.closed


def _judgement(judgement: SavedJudgement | None) -> Html | None:
    if judgement is None:
        return None
    if judgement.verdict == "passed":
        return tag("p", f"{judgement.by} passed.")
    told = tag("pre", judgement.text) if judgement.text else None
    return tag("div", tag("p", tag("strong", judgement.by)), told, class_="failure")


def _failure(failure: SavedFailure | None, stopped_at: str | None = None) -> Html | None:
    if failure is None:
        return None
    extra = failure.model_extra or {}
    code = _joined_words(extra.get("code"), extra.get("name"))
    return tag(
        "div",
        tag("p", tag("strong", failure.meaning or failure.message), " ", tag("code", code) if code else None),
        tag("p", failure.remedy) if failure.remedy else None,
        tag("p", f"It stopped at: {stopped_at}", class_="dim") if stopped_at else None,
        class_="failure",
    )


def _joined_words(*parts: Any) -> str:
    return " ".join(str(part) for part in parts if part is not None)


def _counts(saved: SavedLaunch) -> Html:
    """Numbers that one looks for first, as links to where they come from."""
    failed = sum(check.verdict == "failed" for check in saved.checks)
    numbers = [
        (len(saved.exchanges), "requests to Telegram", "requests", False),
        (len(saved.events) + saved.events_left_out, "events", "events", False),
        (len(saved.unanswered), "unanswered", "unanswered", True),
        (sum(one.kind != "no video" for one in saved.seen), "seen on the page", "seen", True),
        (sum(one.level == "error" for one in saved.console), "console errors", "console", True),
        (len(saved.network) + saved.requests_left_out, "network requests", "network", False),
        (failed, "failed checks", "checks", True),
    ]
    items = [
        tag("li", tag("a", tag("b", number), f" {word}", href=f"#{place}", class_="alarm" if bad else None))
        for number, word, place, bad in numbers
        if number
    ]
    return tag("ul", items, class_="counts")


def _pictures(saved: SavedLaunch) -> Html | None:
    figures = [
        tag(
            "figure",
            tag("img", src=f"data:image/png;base64,{one.png}", alt=f"The page {one.name}", loading="lazy"),
            tag("figcaption", f"{one.name}, after {duration(one.at)}"),
        )
        for one in saved.screenshots
    ]
    return tag("div", figures, class_="pictures") if figures else None


# The way to the app


def _link(saved: SavedLaunch) -> Html | None:
    if saved.link is None:
        return None
    rows = [("this client", saved.link), *((reader(name), link) for name, link in saved.readings.items())]
    spelled = saved.link.get("spelled")
    return join(
        [
            tag("p", "Spelled anew: ", tag("code", str(spelled))) if spelled else None,
            _agreement(saved),
            _table(("read by", "as", "with"), [(who, *_reading(link)) for who, link in rows]),
        ]
    )


def _agreement(saved: SavedLaunch) -> Html | None:
    if not saved.readings:
        return None
    return tag("p", agreement(saved.readings), class_="failure" if differing(saved.readings) else None)


def _reading(link: Mapping[str, Any]) -> tuple[Child, Child]:
    kind = link.get("kind")
    if kind is None:
        return tag("span", "no link", class_="dim"), str(link.get("reason", ""))
    rest = {name: value for name, value in link.items() if name not in ("kind", "spelled") and value}
    return tag("code", str(kind)), _pairs(rest)


def _questions(saved: SavedLaunch) -> Html | None:
    rows = [
        (one.question.replace("_", " "), one.detail, _mark("yes" if one.allowed else "no"))
        for one in saved.questions
    ]
    return _table(("question", "about", "answer"), rows)


def _exchanges(exchanges: Sequence[SavedExchange]) -> Html | None:
    return tag("ol", map(_exchange, exchanges), class_="exchanges") if exchanges else None


def _exchange(one: SavedExchange) -> Html:
    outcome = _mark("failed") if one.error is not None else None
    head = tag(
        "summary",
        tag("code", one.method),
        tag("span", f" at {duration(one.at)}, took {duration(one.seconds)} ", class_="dim"),
        outcome,
    )
    answer = _failure(one.error) if one.error is not None else _answer(one.answer)
    inside = [tag("h3", "Parameters"), _values(one.parameters) or tag("p", "none", class_="dim")]
    return tag("li", tag("details", head, inside, tag("h3", "Answer"), answer))


def _answer(value: Any) -> Child:
    return _values(value) if isinstance(value, dict) else tag("p", _shown(value))


def _checks(saved: SavedLaunch) -> Html | None:
    rows = [
        (
            _mark(one.verdict),
            one.name,
            [
                tag("p", one.text),
                tag("p", one.remedy, class_="dim") if one.remedy else None,
                tag("pre", one.data_check_string) if one.data_check_string else None,
            ],
        )
        for one in saved.checks
    ]
    return _table(("verdict", "check", "what"), rows)


# The page


def _events(saved: SavedLaunch) -> Html | None:
    if not saved.events:
        return None
    numbers = Counter(event.direction for event in saved.events)
    rows = [tag("tr", _event(event), class_=event.direction) for event in saved.events]
    head = tag("tr", [tag("th", name, scope="col") for name in ("time", "way", "event", "data")])
    table = tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="wide", tabindex="0")
    shown = _with_left_out(table, saved.events_left_out)
    return join([_filter(numbers["outgoing"], numbers["incoming"]), shown])


def _filter(outgoing: int, incoming: int) -> Html:
    """Which events are shown: the style sheet looks at what is chosen."""
    choices = [
        ("all", f"all {outgoing + incoming}"),
        ("outgoing", f"{outgoing} from the page"),
        ("incoming", f"{incoming} to the page"),
    ]
    inputs = [
        tag(
            "span",
            tag("input", type="radio", name="way", id=f"show-{name}", checked=name == "all"),
            tag("label", text, for_=f"show-{name}"),
        )
        for name, text in choices
    ]
    return tag("fieldset", tag("legend", "Show"), inputs)


def _event(event: SavedEvent) -> list[Html]:
    way = "page → client" if event.direction == "outgoing" else "client → page"
    return [
        tag("td", duration(event.at), class_="time", data_name="time"),
        tag("td", way, class_="way", data_name="way"),
        tag("td", tag("code", event.name), data_name="event"),
        tag("td", _shown(event.data), data_name="data"),
    ]


def _unanswered(saved: SavedLaunch) -> Html | None:
    rows = [
        (
            duration(one.at),
            tag("code", one.name),
            f"{one.times} times" if one.times > 1 else "once",
            "this platform never answers it" if one.silenced else "",
        )
        for one in saved.unanswered
    ]
    return _table(("since", "request", "made", ""), rows)


def _seen(saved: SavedLaunch) -> Html | None:
    return _table(
        ("time", "kind", "what"),
        [(duration(one.at), one.kind, tag("code", one.text)) for one in saved.seen],
    )


_LEVELS = {"error": "bad", "warning": "warn"}


def _console(saved: SavedLaunch) -> Html | None:
    rows = [
        (
            duration(one.at),
            tag("span", one.level, class_=f"mark {_LEVELS.get(one.level, 'plain')}"),
            tag("code", one.text),
        )
        for one in saved.console
    ]
    return _with_left_out(_table(("time", "level", "message"), rows), saved.messages_left_out)


def _with_left_out(table: Html | None, left_out: int) -> Html | None:
    if table is None or not left_out:
        return table
    return join([table, tag("p", f"{left_out} more are left out.", class_="dim")])


def _network(saved: SavedLaunch) -> Html | None:
    rows = [
        (
            duration(one.at),
            one.method,
            tag("code", tag("span", one.origin, class_="dim"), one.path),
            one.kind,
            _status(one.status, one.failure),
            None if one.ms is None else f"{one.ms:.0f} ms",
        )
        for one in saved.network
    ]
    table = _table(("time", "method", "address", "for", "status", "took"), rows)
    return _with_left_out(table, saved.requests_left_out)


def _status(status: int | None, failure: str | None) -> Child:
    if failure is not None:
        return tag("span", failure, class_="mark bad")
    return tag("span", status, class_="mark bad") if status is not None and status >= 400 else status


def _steps(saved: SavedLaunch) -> Html | None:
    rows = [
        (
            tag("code", one.id),
            one.name,
            one.layer,
            _mark(one.verdict),
            duration(one.seconds) if one.seconds else None,
            [
                tag("p", one.cause) if one.cause else None,
                tag("p", one.remedy, class_="dim") if one.remedy else None,
                [tag("p", warning) for warning in one.warnings],
                tag("p", f"It assumes: {one.assumption}", class_="dim") if one.assumption else None,
            ],
        )
        for one in saved.metapro
    ]
    if not rows:
        return None
    table = _table(("id", "step", "layer", "verdict", "took", "why"), rows)
    model = tag("p", tag("strong", saved.metapro_model)) if saved.metapro_model else None
    return join([model, table])


# Values


def _mark(word: str) -> Html:
    low = word.lower()
    kind = "good" if low in _GOOD else "bad" if low in _BAD else "warn"
    return tag("span", word, class_=f"mark {kind}")


def _values(values: Mapping[str, Any] | None) -> Html | None:
    """Names and values, those that are absent left out."""
    if not values:
        return None
    return _list([(name, _shown(value)) for name, value in values.items() if value is not None])


def _list(facts: Iterable[tuple[str, Child]]) -> Html:
    return tag(
        "dl",
        [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts if value not in (None, "")],
    )


def _shown(value: Any) -> Child:
    """A JSON value: short ones as they are, long ones to be unfolded, colours with a sample."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case dict() if value and all(
            isinstance(one, str) and _COLOUR.fullmatch(one) for one in value.values()
        ):
            return tag(
                "ul", [tag("li", _colour(one), f" {name}") for name, one in value.items()], class_="colours"
            )
        case str() if _COLOUR.fullmatch(value):
            return _colour(value)
        case dict() if 0 < len(value) <= _FEW and not any(
            isinstance(one, dict | list) for one in value.values()
        ):
            return _pairs(value)
    text = as_text(value)
    if len(text) <= _SHORT:
        return tag("code", text)
    return tag(
        "details", tag("summary", tag("code", shortened(text, _SHORT - 20))), tag("pre", _pretty(value))
    )


def _pairs(values: Mapping[str, Any]) -> Child:
    return [
        tag("span", f"{name} ", tag("code", as_text(value)), class_="pair") for name, value in values.items()
    ]


def _colour(value: str) -> Html:
    sample = tag(
        "svg", tag("rect", width="100%", height="100%", fill=value), class_="swatch", aria_hidden="true"
    )
    return tag("span", sample, tag("code", value), class_="colour")


def _pretty(value: Any) -> str:
    """Indented, if it is JSON or a text of JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _table(names: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html | None:
    body = [
        tag(
            "tr",
            [
                tag("td", cell, data_name=name, class_="time" if name in _TIMES else None)
                for name, cell in zip(names, row, strict=True)
            ],
        )
        for row in rows
    ]
    if not body:
        return None
    head = tag("tr", [tag("th", name, scope="col") for name in names])
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="wide", tabindex="0")
