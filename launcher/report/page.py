"""A saved launch as one HTML page: no build step, no script, no request to anywhere.

The page is read by people who did not make the launch, and much of its text comes from a stranger's page. So
everything is escaped (`markup`), and its own policy forbids scripts and every source but itself.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from launcher.report import sections
from launcher.report.markup import Html, join, tag
from launcher.report.saved import SavedLaunch

__all__ = ["html"]

_STYLE = files("launcher.report").joinpath("page.css").read_text("utf-8")


def html(saved: SavedLaunch) -> str:
    """The whole page. It has the secrets of a revealed launch, and then says so at its top."""
    shown = [(name, title, content) for name, title, content in sections.all_of(saved) if content]
    page = join(
        [
            _head(saved),
            tag(
                "body",
                tag("a", "To the report", href="#report", class_="skip"),
                sections.heading(saved),
                _contents([(name, title) for name, title, _ in shown]),
                tag("main", [_section(*one) for one in shown], id="report", tabindex="-1"),
                _footer(saved),
            ),
        ]
    )
    text = f'<!doctype html>\n<html lang="en">{page}</html>\n'
    return text.encode("utf-8", "replace").decode("utf-8")


def _head(saved: SavedLaunch) -> Html:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{sections.title(saved)}: a launch"),
        tag("style", Html(_STYLE)),
    )


def _contents(titles: list[tuple[str, str]]) -> Html:
    items = [tag("li", tag("a", title, href=f"#{name}")) for name, title in titles]
    return tag("nav", tag("ul", items), aria_label="Contents")


def _section(name: str, title: str, content: Html) -> Html:
    return tag("section", tag("h2", title, id=name), content, aria_labelledby=name)


def _footer(saved: SavedLaunch) -> Html:
    kept = "with its secrets" if saved.revealed else "with its secrets masked"
    return tag(
        "footer",
        tag("p", f"A saved launch, version {saved.version}, {kept}. Times count from its beginning, "),
        tag("p", tag("time", saved.when.isoformat(timespec="seconds"), datetime=saved.when.isoformat())),
    )
