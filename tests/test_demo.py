"""The demonstration: everything as documented in the usual world, and told apart from it in any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from telethon.crypto import rsa
from telethon.tl import types

from flows import FLOWS
from launcher.demo import Check, DemoReport, LaunchReport, Step, print_demo, print_step, run_demo
from launcher.demo.pages import write_index
from launcher.hosts.profiles import profile_for
from launcher.metapro import Verdict
from launcher.sandbox import Act, Fail, FloodWait, MenuButton, Sandbox, mailbox
from launcher.sandbox.default_world import DEMO_BOT
from tests.conftest import need

QUERY_FLOWS = {"inline_button", "menu_button", "attachment_menu"}
LAUNCH_KEYS = {
    "flow", "request", "url", "query_id", "identity", "platform", "mode", "theme", "prolongs", "closed",
    "screenshot", "seconds", "ok", "error", "checks",
}  # fmt: skip


async def shown(**options: Any) -> DemoReport:
    """A demonstration that a slow machine does not make fail."""
    return await run_demo(patience=60.0, **options)


@dataclass(frozen=True, slots=True)
class Usual:
    """Two demonstrations side by side in the usual world: all steps of the first were told as they were done,
    the second reveals."""

    report: DemoReport
    sandbox: Sandbox
    told: list[Step]
    revealed: DemoReport
    trusted: tuple[set[int], set[int]]
    """The keys that Telethon trusts, before and after."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def usual() -> Usual:
    sandbox, told, before = Sandbox(), list[Step](), set(rsa._server_keys)
    report, revealed = await asyncio.gather(shown(sandbox=sandbox, on_step=told.append), shown(reveal=True))
    return Usual(report, sandbox, told, revealed, (before, set(rsa._server_keys)))


def launch_of(report: DemoReport, flow: str) -> LaunchReport:
    return next(launch for launch in report.launches if launch.flow == flow)


def failed(launch: LaunchReport) -> str:
    """What was not as documented, and the error if there is one."""
    return "; ".join([launch.error or "", *(check.text for check in launch.checks if not check.ok)])


def printed(report: DemoReport, width: int) -> str:
    console = Console(file=StringIO(), width=width)
    print_demo(report, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def secrets_of(report: DemoReport, sandbox: Sandbox) -> set[str]:
    """Whatever must not be shown: of the launches, and of those who were signed in."""
    found = {key.key.hex() for key in sandbox.keys.values()} | {bot.token for bot in sandbox.world.bots()}
    for launch in (*report.launches, report.expiry):
        assert launch.web_view is not None
        if (data := launch.web_view.init_data) is not None:
            join = data.chat_join_request_query_id
            found |= {data.raw, data.hash, *filter(None, (data.signature, data.query_id, join))}
        if launch.web_view.query_id is not None:
            found.add(str(launch.web_view.query_id))
    return found


def test_all_nine_flows_are_as_documented(usual: Usual) -> None:
    report = usual.report
    assert [failed(launch) for launch in (*report.launches, report.expiry) if not launch.ok] == []
    assert all(check.ok for check in report.checks)
    assert report.ok
    assert [launch.flow for launch in report.launches] == list(FLOWS)
    assert {launch.flow for launch in report.launches if launch.prolongs >= 2} == QUERY_FLOWS
    assert {launch.flow: launch.closed for launch in report.launches} == {
        "keyboard_button": "data_sent",
        "inline_button": "result_sent",
        "menu_button": "caller",
        "attachment_menu": "caller",
        "side_menu": "caller",
        "inline_mode": "switched_inline",
        "direct_link": "caller",
        "main_app": "caller",
        "chat_join": "join_decided",
    }
    assert (report.expiry.closed, report.expiry.prolongs) == ("expired", 1)
    assert usual.trusted[0] == usual.trusted[1]


def test_the_json_has_no_secrets(usual: Usual) -> None:
    report = usual.report
    value = json.loads(json.dumps(report.to_json()))
    keys = {"ok", "browser", "report", "seconds", "steps", "launches", "expiry", "checks", "metapro"}
    keys |= {"watched", "status_page", "launch_report"}
    assert value.keys() == keys
    assert {step["verdict"] for step in value["metapro"]} == {"pass", "unverified", "skipped"}
    assert (value["browser"], value["report"], value["status_page"]) == (False, None, None)
    assert [watched["status"] for watched in value["watched"]] == ["OK"] * 3
    assert value["ok"] is True
    assert len(value["launches"]) == 9
    for launch in (*value["launches"], value["expiry"]):
        assert launch.keys() == LAUNCH_KEYS
        assert launch["request"] == FLOWS[launch["flow"]].method
        assert (launch["query_id"] == "***") is (launch["flow"] in QUERY_FLOWS)
        assert launch["url"].startswith("https://")
        assert launch["checks"]
        assert all(check["ok"] and check["text"] for check in launch["checks"])
    text = json.dumps(value) + printed(report, 140)
    secrets = secrets_of(report, usual.sandbox)
    assert len(secrets) > 30
    assert [secret for secret in secrets if secret in text] == []


def test_revealed_urls_are_whole(usual: Usual) -> None:
    report = usual.revealed
    revealed = {launch["flow"]: launch for launch in report.to_json()["launches"]}
    for launch in report.launches:
        assert launch.web_view is not None
        assert revealed[launch.flow]["url"] == launch.web_view.url
        assert revealed[launch.flow]["query_id"] == launch.web_view.query_id
        assert launch.web_view.url in printed(report, 140)


def test_each_step_is_told_when_it_is_done(usual: Usual) -> None:
    told = usual.told
    assert tuple(told) == usual.report.steps
    titles = [step.title for step in told]
    assert titles[:5] == ["data centre", "key exchange", "code", "signed in", "bots"]
    assert set(titles[5:]) == {*FLOWS, "expiry", "metapro", "check"}
    assert [step.seconds for step in told] == sorted(step.seconds for step in told)
    assert usual.report.metapro is not None
    steps = usual.report.metapro.steps
    made = {step.id for step in steps if step.verdict is not Verdict.SKIPPED}
    first, *each, last = [step.detail.split()[0] for step in told if step.title == "metapro"]
    assert (first, set(each), last) == ("the", made, str(len(steps)))
    assert len(each) == len(made) > 10


# Worlds in which something is not as documented


Break = Callable[[Sandbox], Any]


def act(method: str, do: Callable[[Any], None]) -> Break:
    return lambda sandbox: sandbox.faults.on(method, Act(do))


def fail(method: str, name: str, **when: Any) -> Break:
    return lambda sandbox: sandbox.faults.on(method, Fail(400, name), **when)


def flip(assumption: str) -> Break:
    return lambda sandbox: sandbox.assumptions.flip(assumption)


def another_token(call: Any) -> None:
    call.sandbox.world.bot(DEMO_BOT).token = f"{DEMO_BOT}:{'another-secret':0<35}"


def another_key(call: Any) -> None:
    call.sandbox.init_data_key = Ed25519PrivateKey.generate()


def own_fullscreen(sandbox: Sandbox) -> None:
    sandbox.world.bot("guard_bot").fullscreen = True


def menu_that_is_a_link(sandbox: Sandbox) -> None:
    sandbox.world.bot(DEMO_BOT).menu_button = MenuButton("Menu", "https://t.me/demo_bot/app")


def a_guard_without_words(sandbox: Sandbox) -> None:
    sandbox.faults.on("bots.setJoinChatResults", Fail(400, "QUERY_ID_INVALID"), skip=1)


BROKEN: dict[str, tuple[Break, str, str]] = {
    "a hash by another token": (
        act("messages.requestMainWebView", another_token),
        "main_app",
        "the hash of the init data fits the bot's token",
    ),
    "a signature by another key": (
        act("messages.requestAppWebView", another_key),
        "direct_link",
        "the signature fits the data centre's key",
    ),
    "no identity": (
        flip("join_guard_learns_the_user"),
        "chat_join",
        "the page learns chat_join_request_query_id, user",
    ),
    "too little identity": (
        flip("main_app_from_a_link_learns_the_kind_of_chat"),
        "main_app",
        "the page learns chat_instance, chat_type, user",
    ),
    "another mode": (own_fullscreen, "chat_join", "it is shown fullsize"),
    "another flow than it seems": (menu_that_is_a_link, "menu_button", "The question hidden_link"),
    "a request that is made twice": (
        lambda sandbox: sandbox.faults.on("messages.requestAppWebView", FloodWait(1)),
        "direct_link",
        "the client asks messages.requestAppWebView, once",
    ),
    "a query that ends at once": (
        fail("messages.prolongWebView", "QUERY_ID_INVALID", times=None),
        "menu_button",
        "it closes: caller",
    ),
    "an app that is refused": (
        fail("messages.getBotApp", "BOT_APP_INVALID"),
        "direct_link",
        "BOT_APP_INVALID",
    ),
    "a guard that cannot decide": (a_guard_without_words, "chat_join", "QUERY_ID_INVALID"),
    "an answer that is refused": (
        fail("messages.sendWebViewResultMessage", "QUERY_ID_INVALID"),
        "inline_button",
        "messages.sendWebViewResultMessage: 400 QUERY_ID_INVALID",
    ),
}


@pytest.mark.parametrize(("break_", "flow", "said"), BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_not_as_documented_is_said(break_: Break, flow: str, said: str) -> None:
    sandbox = Sandbox()
    break_(sandbox)
    report = await shown(sandbox=sandbox)
    value = report.to_json()
    assert value["ok"] is False
    assert len(value["launches"]) == 9
    assert said in failed(launch_of(report, flow))
    text = " ".join(printed(report, 200).split())
    assert said in text
    assert "9 of 9" not in text


async def test_a_launch_that_does_not_end_is_given_up() -> None:
    sandbox = Sandbox()
    sandbox.faults.on("messages.prolongWebView", FloodWait(600), times=None)
    report = await run_demo(sandbox=sandbox, patience=0.8)
    assert not report.ok
    assert {launch.flow for launch in report.launches if launch.error} >= QUERY_FLOWS
    for flow in QUERY_FLOWS:
        assert launch_of(report, flow).error == "It did not come to its end within 0.8 s."
        assert launch_of(report, flow).closed is None


async def test_data_that_comes_twice_is_noticed() -> None:
    """The same data under another random id, as a client would send it that makes a new one to repeat."""
    sandbox = Sandbox()

    def again(call: Any) -> None:
        text, data = call.request.button_text, call.request.data
        mailbox.post(
            sandbox,
            call.account.id,
            DEMO_BOT,
            action=types.MessageActionWebViewDataSent(text=text),
            their_action=types.MessageActionWebViewDataSentMe(text=text, data=data),
        )

    sandbox.faults.on("messages.sendWebViewData", Act(again))
    report = await shown(sandbox=sandbox)
    assert not report.ok
    assert [check.found for check in report.checks if not check.ok] == ["2 times"]


async def test_without_a_sign_in_nothing_is_ok_and_everything_is_told() -> None:
    sandbox = Sandbox()
    sandbox.world.user("alice").banned = True
    report = await shown(sandbox=sandbox)
    value = report.to_json()
    assert value["ok"] is False
    assert [launch["flow"] for launch in value["launches"]] == list(FLOWS)
    assert all("auth.s" in launch["error"] for launch in (*value["launches"], value["expiry"]))
    assert "auth.s" in printed(report, 200)


def test_two_demonstrations_side_by_side(usual: Usual) -> None:
    assert (usual.report.ok, usual.revealed.ok) == (True, True)


# In a browser


class Overview(HTMLParser):
    """The articles of a page by id, with the addresses of everything it refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.articles: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.references += [values[name] for name in ("href", "src") if name in values]
        if tag == "article":
            self.articles.append(values["id"])
        if tag == "img":
            assert values["alt"]


def width_of(picture: Path) -> int:
    """Of a PNG, in pixels: the first number of its first chunk."""
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(content[16:20], "big")


async def test_every_flow_is_shown_in_a_browser(tmp_path: Path) -> None:
    sandbox, folder = Sandbox(), tmp_path / "report"
    report = await shown(sandbox=sandbox, folder=folder)
    if not report.browser:
        need("Chromium", report.steps[6].detail)
    assert [failed(launch) for launch in (*report.launches, report.expiry) if not launch.ok] == []
    assert report.ok
    pages = {"index.html", "launch.html", "status.html"}
    assert {file.name for file in folder.iterdir()} == {*pages, *(f"{flow}.png" for flow in FLOWS)}
    assert "<style>" in (folder / "status.html").read_text()
    assert len({(folder / f"{flow}.png").read_bytes() for flow in FLOWS}) == 9

    for launch in report.launches:
        profile = profile_for(launch.parameters.platform)
        assert width_of(folder / f"{launch.flow}.png") == round(profile.width * profile.scale)

    value = json.loads(json.dumps(report.to_json()))
    assert (value["browser"], value["report"]) == (True, str(folder / "index.html"))
    for shown_launch in value["launches"]:
        assert shown_launch.keys() == LAUNCH_KEYS
        assert shown_launch["screenshot"] == str(folder / f"{shown_launch['flow']}.png")
        assert shown_launch["url"].startswith("http://127.0.0.1:")
    assert value["expiry"]["screenshot"] is None

    page = (folder / "index.html").read_text()
    overview = Overview(page)
    assert overview.articles == list(FLOWS)
    assert "script" not in overview.tags
    pictures = {name for name in overview.references if not name.startswith(("#", "data:"))}
    assert pictures == {f"{flow}.png" for flow in FLOWS}
    assert str(folder / "index.html") in printed(report, 400)
    secrets = secrets_of(report, sandbox)
    assert [secret for secret in secrets if secret in page + json.dumps(value)] == []


async def test_without_a_browser_it_is_the_quick_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "no-such-program"))
    folder = tmp_path / "report"
    report = await shown(folder=folder)
    assert report.ok
    assert not report.browser
    assert not folder.exists()
    said = [step.detail for step in report.steps if step.title == "browser"]
    assert "without pictures. CHROMIUM_PATH does not name a program." in said[-1]
    assert {launch["screenshot"] for launch in report.to_json()["launches"]} == {None}


def test_the_overview_takes_nothing_for_markup(usual: Usual, tmp_path: Path) -> None:
    report, bad = usual.report, "<script>alert(1)</script>\u202e"
    broken = replace(report.launches[0], error=bad, checks=(Check(False, bad, bad),))
    write_index(replace(report, launches=(broken, *report.launches[1:])), tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "script" not in Overview(page).tags
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;\\u202e") == 3
    assert "8 of 9 flows" in page


# On a terminal


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits(usual: Usual, width: int) -> None:
    text = printed(usual.report, width)
    for flow in FLOWS:
        assert flow.replace("_", " ") in text
    for column in ("requestChatJoinWebView", "result_sent", "switched_inline", "9 of 9 flows as documented"):
        assert column in text
    assert "What to try next" in text
    commands = [line for line in text.splitlines() if line.strip().startswith("miniapp ")]
    assert len(commands) == 5
    lines = text.splitlines()
    marks = [at for at, line in enumerate(lines) if line.startswith("~ ")]
    assert lines[marks[0]] == "~ marks what is as it should be, if what it rests on is so"
    assert len(marks) > 1


def test_a_step_cannot_steer_the_terminal() -> None:
    console = Console(file=StringIO(), width=80)
    print_step(Step("[bold]title", "\x1b[2Jgone\u202e", 0.5), console)
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == "  0.50 s  [bold]title     \\x1b[2Jgone\\u202e\n"
