"""`miniapp check` at the command line: what Nagios reads of it, in every kind of end, and its reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from launcher.probe import Status
from tests.browsers import browser
from tests.test_cli import Finished, Terminal, inside

__all__ = ["browser", "inside"]

FILE = """
server: sandbox
accounts: {alice: {budget: 600}, zoe: {}}
defaults: {account: alice, host: none}
targets:
  - {name: app, link: "t.me/demo_bot/app?startapp=a-customers-token"}
  - {name: gone, link: t.me/demo_bot/nothing}
  - {name: nobody, bot: "@demo_bot", via: main_app, account: zoe}
"""


@pytest.fixture
def terminal(tmp_path: Any) -> Terminal:
    """A terminal whose commands make a sandbox of their own."""
    (tmp_path / "targets.yaml").write_text(FILE)
    return Terminal(tmp_path, "sandbox")


# What a plugin says, by the Monitoring Plugins Development Guidelines


@dataclass(frozen=True)
class Plugin:
    """The output of a plugin: the text of its first line, the lines below it, and its performance data."""

    text: str
    long: list[str]
    performance: dict[str, tuple[float, str, list[str]]]


_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = rf"(?:@?(?:(?:~|{_NUMBER})?:)?(?:{_NUMBER})?)?"
_DATUM = re.compile(
    r"(?P<label>'(?:[^'=\n]|'')+'|[^\s'=|]+)"
    rf"=(?P<value>U|{_NUMBER})(?P<unit>s|ms|us|%|B|KB|MB|TB|c|)"
    rf"(?P<rest>(?:;{_RANGE}){{0,2}}(?:;(?:{_NUMBER})?){{0,2}})(?: +|$)"
)


def plugin(output: str) -> Plugin:
    """Read what a plugin has written; AssertionError for what Nagios would misread."""
    assert output.endswith("\n")
    first, *others = output.removesuffix("\n").split("\n")
    assert first.count("|") <= 1
    assert not any("|" in line for line in others)
    text, _, data = first.partition("|")
    found, at = dict[str, tuple[float, str, list[str]]](), 0
    data = data.strip()
    while at < len(data):
        one = _DATUM.match(data, at)
        assert one, f"no performance data: {data[at:]}"
        label = one["label"].strip("'").replace("''", "'")
        assert label not in found
        found[label] = (float(one["value"]), one["unit"], one["rest"].split(";")[1:])
        at = one.end()
    return Plugin(text.strip(), others, found)


@pytest.mark.parametrize("wrong", ["a b=1s", "a=1s|b=2s", "a=1 s", "a=one", "a=1s;x", "a=1s a=2s", "'a=1"])
def test_what_nagios_would_misread_is_noticed(wrong: str) -> None:
    with pytest.raises(AssertionError):
        plugin(f"MINIAPP OK - fine | {wrong}\n")


def test_one_target_is_one_line(inside: Any, terminal: Terminal) -> None:
    done: Finished = inside(terminal, "check", "t.me/demo_bot/app", "--host", "none", "--nagios")
    read = plugin(done.out)
    assert (done.code, done.err, read.long) == (Status.OK, "", [])
    assert re.fullmatch(r"MINIAPP OK - t\.me-demo_bot-app: \d+\.\d\d s", read.text)
    assert list(read.performance) == ["time", "parse", "resolve", "bot_app", "web_view"]
    assert {unit for _, unit, _ in read.performance.values()} == {"s"}
    whole = read.performance["time"][0]
    assert sum(seconds for seconds, _, _ in read.performance.values()) - whole <= whole + 0.01


def test_several_targets_end_as_the_gravest_and_have_a_line_each(inside: Any, terminal: Terminal) -> None:
    done: Finished = inside(terminal, "check", "targets.yaml", "--nagios")
    read = plugin(done.out)
    assert done.code == Status.CRITICAL
    assert read.text == "MINIAPP CRITICAL - 3 targets: 1 OK, 1 CRITICAL, 1 UNKNOWN"
    assert [line.partition(":")[0] for line in read.long] == [
        "MINIAPP OK - app", "MINIAPP CRITICAL - gone", "MINIAPP UNKNOWN - nobody",
    ]  # fmt: skip
    assert list(read.performance) == ["app", "gone", "nobody"]


UNUSABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "no such option": (("check", "--bogus"), "--bogus"),
    "a value that cannot be": (("check", "t.me/demo_bot/app", "--host", "x|y"), "x/y"),
    "no target": (("check",), "Missing argument"),
    "no link": (("check", "https://example.com/a|b"), "UNKNOWN"),
    "no file": (("check", "gone.yaml"), "gone.yaml"),
    "no such target": (("check", "targets.yaml", "--only", "zoe"), "zoe"),
    "no ready file": (("check", "t.me/demo_bot/app", "--server", "targets.yaml"), "targets.yaml"),
    "a report nowhere": (
        ("check", "t.me/demo_bot/app", "--report", "no/where.html"),
        "there is no folder no",
    ),
    "options of links for a file": (
        ("check", "targets.yaml", "--host", "none", "--platform", "ios"),
        "--platform, --host is of links",
    ),
    "one report for several": (("check", "targets.yaml", "--report", "a.html"), "name a folder"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_cannot_be_checked_is_unknown_in_one_line(inside: Any, terminal: Terminal, kind: str) -> None:
    arguments, words = UNUSABLE[kind]
    done: Finished = inside(terminal, *arguments, "--nagios")
    read = plugin(done.out)
    assert (done.code, read.long, read.performance) == (Status.UNKNOWN, [], {})
    assert read.text.startswith("MINIAPP UNKNOWN - ")
    without = inside(terminal, *arguments)
    assert (without.code, without.out) == (done.code, done.out), "the first line is Nagios's in any case"
    assert words in read.text


# Reports


def test_a_target_has_a_report_in_a_file(inside: Any, terminal: Terminal) -> None:
    done: Finished = inside(terminal, "check", "t.me/demo_bot/app", "--host", "none", "--report", "a.html")
    assert (done.code, done.err) == (0, "Report: a.html\n")
    page = (terminal.folder / "a.html").read_text("utf-8")
    assert "<h1>@demo_bot</h1>" in page
    assert "messages.requestAppWebView" in page
    assert "Content-Security-Policy" in page


def test_several_targets_have_a_report_each_in_a_folder(inside: Any, terminal: Terminal) -> None:
    done: Finished = inside(terminal, "check", "targets.yaml", "--report", "reports")
    assert done.code == Status.CRITICAL
    assert done.err.splitlines() == [
        "Report: reports/app.html", "Report: reports/gone.html", "No report of nobody: it was not opened.",
    ]  # fmt: skip
    pages = {page.name: page.read_text("utf-8") for page in (terminal.folder / "reports").iterdir()}
    assert set(pages) == {"app.html", "gone.html"}
    assert "BOT_APP_INVALID" in pages["gone.html"]
    assert '<span class="verdict bad">Failed</span>' in pages["gone.html"]
    assert "<strong>check gone</strong></p><pre>bot_app: " in pages["gone.html"]
    assert '<span class="verdict good">Opened</span>' in pages["app.html"]
    assert "<p>check app passed.</p>" in pages["app.html"]
    assert not re.search(r"hash=[0-9a-f]{64}", pages["app.html"])


def test_the_page_is_in_the_report(inside: Any, terminal: Terminal, browser: object) -> None:
    done: Finished = inside(
        terminal, "check", "@demo_bot", "--via", "main_app", "--host", "browser", "--report", "a.html"
    )
    assert done.code == Status.OK, done.out
    page = (terminal.folder / "a.html").read_text("utf-8")
    assert page.count("data:image/png;base64,") == 1
    assert "web_app_ready" in page
