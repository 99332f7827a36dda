"""An inspection on a terminal: one section per stage, what was not reached left out.

It prints the JSON form, so that what is masked there is masked here. Texts from outside are stripped of what
a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from launcher.inspection.readings import agreement, differing, reader
from launcher.inspection.stages import Inspection
from launcher.plain_text import plain

__all__ = ["print_inspection"]

Stages = Mapping[str, Any]
Section = Callable[[Stages, Console], None]

_EXCERPT = 160
"""Characters of a value among the requests; the answer is shown whole further down."""


def print_inspection(inspection: Inspection, console: Console) -> None:
    """Print all stages that were reached, and the verdict."""
    shown = inspection.to_json()
    for number, (title, section) in enumerate(_reached(shown["stopped_at"]), start=1):
        console.print(Text(f"{number} {title}", style="bold cyan"))
        section(shown, console)
        console.print()
    _verdict(shown, console)


def _reached(stopped_at: str | None) -> list[tuple[str, Section]]:
    """The sections up to where the launch stopped; what was asked of Telegram is always told."""
    finding = [("The link", _link), ("The bot", _bot), ("The app", _app), ("The questions", _questions)]
    last = {"link": 1, "bot": 2, "app": 3}.get(stopped_at or "", 4)
    answer = [("The answer", _answer), ("The checks", _checks)] if stopped_at is None else []
    return [*finding[:last], ("The requests", _requests), *answer]


def _link(shown: Stages, console: Console) -> None:
    link = shown["link"]
    if link is None:
        _say(console, f"{shown['target']} is the name of a bot.")
        return
    lines = {"you gave": shown["target"], "it reads as": _reading(link), "spelled": link["spelled"]}
    readings = link["readings"]
    if differing(readings):
        lines |= {f"for {reader(name)}": _reading(reading) for name, reading in readings.items()}
    _fields(console, lines)
    _say(console, agreement(readings))


def _reading(link: Mapping[str, Any]) -> str:
    if link["kind"] is None:
        return f"no link: {link['reason']}"
    rest = {name: value for name, value in link.items() if name not in ("kind", "spelled", "readings")}
    return " ".join([link["kind"], *(f"{name}={_short(value)}" for name, value in rest.items() if value)])


_FLAGS = ("verified", "restricted", "has_main_app", "attach_menu", "attach_menu_enabled", "inline")


def _bot(shown: Stages, console: Console) -> None:
    bot = shown["bot"]
    if bot is None:
        _say(console, "No bot was found.")
        return
    button = bot["menu_button"]
    how = "remembered from an earlier launch" if bot["remembered"] else "resolved now"
    lines = {
        "user name": f"@{bot['username']} ({how})",
        "id": bot["id"],
        "flags": ", ".join(name for name in _FLAGS if bot[name]) or "none",
        "menu button": button and (f"{button['text']}: {button['url']}" if button["url"] else "no app"),
    }
    _fields(console, lines)


def _app(shown: Stages, console: Console) -> None:
    if shown["app"] is None:
        _say(console, "No app was found.")
    else:
        _fields(console, shown["app"])


def _questions(shown: Stages, console: Console) -> None:
    if not shown["questions"]:
        _say(console, "Nothing has to be asked.")
    for asked in shown["questions"]:
        answer, style = ("yes", "green") if asked["allowed"] else ("no", "yellow")
        text = f"{asked['question'].replace('_', ' ')}? @{asked['bot']}: {asked['detail']}"
        console.print(Text.assemble("  ", (f"{answer:<5}", style), plain(text)), soft_wrap=True)


def _requests(shown: Stages, console: Console) -> None:
    if not shown["requests"]:
        _say(console, "Nothing was asked of Telegram.")
    for request in shown["requests"]:
        head = Text.assemble("  ", (request["method"], "bold"))
        console.print(head.append(f"  {request['seconds'] * 1000:.1f} ms", style="dim"))
        _fields(console, request["parameters"], indent=6, longest=_EXCERPT)
        if request["error"] is None:
            _fields(console, {"→": request["answer"]}, indent=6, longest=_EXCERPT)
        else:
            error = request["error"]
            text = f"{error.get('code', '')} {error.get('name', error['type'])}".strip()
            console.print(Text.assemble("      →  ", (plain(text), "bold red")))


def _answer(shown: Stages, console: Console) -> None:
    answer = shown["answer"]
    _fields(console, {k: v for k, v in answer.items() if k not in ("launch_params", "init_data")})
    console.print(Text("  launch parameters", style="bold"))
    _fields(console, answer["launch_params"], indent=4)
    console.print(Text("  init data", style="bold"))
    _fields(console, answer["init_data"] or {"none": "the page is not told who opened it"}, indent=4)


_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("-", "yellow")}


def _checks(shown: Stages, console: Console) -> None:
    for check in shown["checks"]:
        mark, style = _MARKS[check["verdict"]]
        line = Text.assemble("  ", (mark, style), " ", (check["name"], "bold"), f": {plain(check['text'])}")
        console.print(line, soft_wrap=True)
        if check["remedy"]:
            _say(console, f"  {check['remedy']}")
        if check["data_check_string"]:
            _say(console, "  data-check string, a field per line:")
            for signed in check["data_check_string"].split("\n"):
                _say(console, f"    {signed}")


def _verdict(shown: Stages, console: Console) -> None:
    error = shown["error"]
    if error is None:
        text = "Opened, and closed again."
        if not shown["ok"]:
            text += " Not every check passed."
        console.print(Text(text, style="bold green" if shown["ok"] else "bold red"))
        return
    console.print(Text(f"Stopped at the {shown['stopped_at']} stage.", style="bold red"))
    code = " ".join(str(error[name]) for name in ("method", "code", "name") if name in error)
    lines = {"error": code or None, "it means": error["meaning"], "what to do": error["remedy"]}
    _fields(console, lines | {"documented at": error.get("source")})


# Names and values


def _fields(
    console: Console, values: Mapping[str, Any], *, indent: int = 2, longest: int | None = None
) -> None:
    """Names and values in two columns; what is None is left out, what is too long is cut."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in values.items():
        if value is not None:
            text = _short(value)
            if longest is not None and len(text) > longest:
                text = f"{text[:longest]}…"
            table.add_row(Text(" " * indent + plain(name)), Text(text))
    if table.row_count:
        console.print(table)


def _say(console: Console, text: str) -> None:
    console.print(Text(f"  {plain(text)}", style="dim"))


def _short(value: Any) -> str:
    """A JSON value in one line, an object as `name(field=…)`."""
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            name = f"{value['_']}" if "_" in value else ""
            given = ((k, v) for k, v in value.items() if k != "_" and v is not None)
            inside = ", ".join(f"{plain(str(k))}={_short(v)}" for k, v in given)
            return f"{plain(name)}({inside})"
        case list():
            return ", ".join(map(_short, value)) or "none"
        case None:
            return "none"
    return plain(str(value))
