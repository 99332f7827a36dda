"""`miniapp events`: every event between a page and its client."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from launcher.cli.options import JsonOption

__all__ = ["events"]


def events(
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="X.Y", help="Only what a client of this Mini Apps version knows."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List every event between a page and its client, both directions."""
    from launcher.bridge.answers import ANSWERS
    from launcher.bridge.catalogue import rows
    from launcher.cli.output import show_json

    found = [row for row in rows(ANSWERS) if _known(row["name"], version)]
    if as_json:
        show_json(found)
    else:
        _show(found)


def _known(name: str, version: str | None) -> bool:
    from flows import BadInput
    from launcher.bridge.catalogue import supports

    try:
        return version is None or supports(name, version)
    except ValueError as error:
        raise BadInput("--version cannot be used:", f"{error}.") from None


def _show(found: list[dict[str, Any]]) -> None:
    from launcher.cli.output import show_table

    for direction, title in (("outgoing", "page to client"), ("incoming", "client to page")):
        lines = [
            (row["name"], row["since"], " ".join(filter(None, (_parameters(row), _replies(row)))))
            for row in found
            if row["direction"] == direction
        ]
        last = "parameters →reply" if direction == "outgoing" else "parameters"
        show_table(("event", "since", last), lines, title=f"{title}: {len(lines)}", whole=True)


def _parameters(row: dict[str, Any]) -> str:
    return "; ".join(
        f"{each['name']}{'' if each['required'] else '?'}: {each['type']}"
        + (f" (since {each['since']})" if each["since"] else "")
        for each in row["parameters"]
    )


def _replies(row: dict[str, Any]) -> str:
    """The events that answer it: the longest fits beside the longest name on 80 columns."""
    return " ".join(f"→{name}" for name in row["replies"])
