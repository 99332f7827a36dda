"""`index.html` of a demonstration: all apps as they were on screen, each with what was checked.

It holds everything but the pictures, which lie beside it, and runs no script. Everything that a stranger may
have written is escaped, and launch URLs are masked.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from launcher.demo.report import Check, DemoReport, LaunchReport
from launcher.plain_text import plain

__all__ = ["write_index"]

WAYS = {
    "keyboard_button": "A key of the bot's keyboard, below the chat. What the app sends arrives at the bot.",
    "inline_button": "A button under a message. The bot answers into the chat, and the app closes.",
    "menu_button": "The button beside the message field, in the chat with the bot.",
    "attachment_menu": "The paper clip of a chat with somebody else: the app learns with whom.",
    "side_menu": "The client's own main menu, once the app is installed there.",
    "inline_mode": "The button above the results of an inline query. The app chooses what is asked next.",
    "direct_link": "A link t.me/bot/app, with a start parameter.",
    "main_app": "The bot's main app: from its profile, or by a link t.me/bot?startapp.",
    "chat_join": "A guard bot shows it to whoever wants to join a channel, and decides.",
}

_STYLE = """
:root { color-scheme: light dark; --page: #eef1f5; --card: #fff; --text: #16202b;
  --soft: #5b6875; --line: #d5dce3; --accent: #1c6fb8; --good: #1a7f45; --bad: #c0392b; --button: #2481cc }
@media (prefers-color-scheme: dark) { :root { --page: #0e141b; --card: #18212b; --text: #eef2f6;
  --soft: #9aa8b5;  --line: #2c3946; --accent: #6ab3f3; --good: #5cc98a; --bad: #ff8577; --button: #2f6ea5 } }
* { box-sizing: border-box; margin: 0 }
body { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif;
  padding: 32px 16px; max-width: 1320px; margin: auto }
h1 { font-size: 28px; line-height: 1.2 } header p { color: var(--soft); max-width: 75ch }
a { color: var(--accent) } :focus-visible { outline: 3px solid var(--accent); outline-offset: 3px }
nav { margin: 14px 0 26px; display: flex; flex-wrap: wrap; gap: 6px 16px }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 24px }
article { background: var(--card); border: 1px solid var(--line); border-radius: 18px; padding: 20px;
  scroll-margin-top: 12px }
h2 { font-size: 20px; display: flex; justify-content: space-between }
article > p { color: var(--soft); min-height: 3em }
.phone { display: block; margin: 14px auto; max-width: 100%; border: 7px solid #10161d; border-radius: 26px;
  overflow: hidden; background: #10161d; color: #fff; text-decoration: none }
.phone span { display: block; padding: 5px 12px; font-size: 13px; font-weight: 600 }
.phone .key { background: var(--button); color: #fff; text-align: center; padding: 11px }
.phone img { display: block; width: 100%; height: auto }
dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 14px; font-size: 14px }
dt { color: var(--soft) } dd { overflow-wrap: anywhere }
details { margin-top: 12px; font-size: 14px } summary { cursor: pointer; color: var(--accent) }
details ul { padding: 0; list-style: none } .good { color: var(--good) } .bad { color: var(--bad) }
footer { color: var(--soft); font-size: 14px; margin-top: 28px }
"""


def write_index(report: DemoReport, folder: Path) -> None:
    """Write the overview beside its pictures. Raises OSError."""
    (folder / "index.html").write_text(_page(report), encoding="utf-8")


def _page(report: DemoReport) -> str:
    good = sum(launch.ok for launch in report.launches)
    links = "".join(f'<a href="#{_text(launch.flow)}">{_name(launch)}</a>' for launch in report.launches)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nine ways to open a Mini App</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Nine ways to open a Mini App</h1>
<p>{good} of {len(report.launches)} flows were as documented. Each app was opened by a real client
from a Telegram on this machine, shown in Chromium, and kept alive until its end. The title bar and the button
below a page are drawn here, as the client would; the rest is the picture.</p>
</header>
<nav aria-label="Flows">{links}</nav>
<main>
{"".join(map(_article, report.launches))}
</main>
<footer>A tenth app was left alone until its query expired: closed, {_text(report.expiry.closed or "not")}.
{_checks(report.checks + report.expiry.checks, "What was checked besides")}</footer>
</body>
</html>
"""


def _article(launch: LaunchReport) -> str:
    mark = _mark(launch.ok)
    facts = "".join(
        f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in _facts(launch).items() if value
    )
    return f"""<article id="{_text(launch.flow)}" aria-labelledby="{_text(launch.flow)}-name">
<h2><span id="{_text(launch.flow)}-name">{_name(launch)}</span>{mark}</h2>
<p>{_text(WAYS[launch.flow])}</p>
{_phone(launch)}
<dl>{facts}</dl>
{_checks(launch.checks, f"{len(launch.checks)} checks")}
</article>
"""


def _facts(launch: LaunchReport) -> dict[str, str]:
    client = f"{launch.parameters.platform}, {launch.parameters.mode}, {launch.theme or 'its own'} theme"
    return {
        "Client": client,
        "Request": launch.request,
        "It learns": ", ".join(launch.identity) or "nobody",
        "Prolonged": f"{launch.prolongs} times" if launch.prolongs else "",
        "Closed": launch.closed or "not",
        "URL": launch.web_view.masked_url.partition("#")[0] if launch.web_view else "",
        "Error": launch.error or "",
    }


def _phone(launch: LaunchReport) -> str:
    picture = launch.picture
    if picture is None:
        return '<p class="bad">There is no picture of it.</p>'
    key = f'<span class="key">{_text(picture.main_button)}</span>' if picture.main_button else ""
    return f"""<a class="phone" style="width: {min(picture.width, 330)}px" href="{_text(picture.file.name)}">
<span>✕ &nbsp; Mini App</span>
<img src="{_text(picture.file.name)}" alt="The app on screen: {_name(launch)}">{key}</a>"""


def _checks(checks: tuple[Check, ...], title: str) -> str:
    lines = "".join(f"<li>{_check(check)}</li>" for check in checks)
    is_open = "" if all(check.ok for check in checks) else " open"
    return f"<details{is_open}><summary>{title}</summary><ul>{lines}</ul></details>"


def _check(check: Check) -> str:
    found = "" if check.ok else f". Found: {_text(check.found or 'the opposite')}"
    return f"{_mark(check.ok)} {_text(check.text)}{found}"


def _mark(ok: bool) -> str:
    if ok:
        return '<span class="good" role="img" aria-label="As documented:">✓</span>'
    return '<span class="bad" role="img" aria-label="Not as documented:">✗</span>'


def _name(launch: LaunchReport) -> str:
    return _text(launch.flow.replace("_", " ").capitalize())


def _text(value: object) -> str:
    """What a stranger may have written, for HTML."""
    return escape(plain(value))
