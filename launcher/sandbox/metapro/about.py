"""The page at `/`: what this is, where its services are, and how its switches stand."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from launcher.sandbox.metapro.switches import Switches

__all__ = ["LABEL", "page"]

LABEL = "assumption model; not Metapro"

_STYLE = "body{font:14px/1.4 system-ui,sans-serif;margin:2em;max-width:70em}td{padding:.2em 1em .2em 0}"


def page(services: dict[str, str], switches: Switches) -> str:
    rows = [
        (name, repr(getattr(switches, name)), field.description or "")
        for name, field in Switches.model_fields.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{LABEL}</title><style>{_STYLE}</style>'
        "<h1>An assumption model of Metapro's API</h1><p>It does what is publicly documented and guesses the "
        "rest: what works here need not work with Metapro.</p>"
        f"<h2>Services</h2>{_table(services.items())}<h2>Switches</h2>{_table(rows)}</html>"
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
