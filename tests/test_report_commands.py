"""Saving, replaying and comparing launches from the command line, and inspecting many links."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import BadInput, FloodWait
from launcher.budget import Budget
from launcher.inspection import Inspection
from launcher.inspection.batch import digest, done_already, inspect_all, links_in
from launcher.report import SavedLaunch, html
from launcher.report.saved import SavedJudgement
from launcher.report.timeline import duration
from launcher.sandbox import Sandbox, ready_file
from launcher.sandbox import faults as going_wrong
from tests.conftest import need
from tests.programs_beside import program
from tests.running import CALM, launching
from tests.test_cli import PATIENCE, SCRIPT, Finished, Terminal, inside

__all__ = ["inside"]

APP = "https://t.me/demo_bot/app?startapp=x"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal whose commands make a sandbox of their own."""
    return Terminal(tmp_path, "sandbox")


# One launch


def test_inspect_saves_and_reports(inside: Any, terminal: Terminal) -> None:
    done: Finished = inside(terminal, "inspect", APP, "--json", "--save", "a.json", "--report", "a.html")
    assert (done.code, done.json["ok"]) == (0, True)
    assert done.err == "Saved: a.json\nReport: a.html\n"
    saved = SavedLaunch.read(terminal.folder / "a.json")
    assert (saved.target, saved.closed, saved.revealed) == (APP, "caller", False)
    assert "<h1>@demo_bot</h1>" in html(saved)
    assert (terminal.folder / "a.html").read_text("utf-8") == html(saved)


def test_a_refused_launch_is_saved_too(inside: Any, terminal: Terminal) -> None:
    done = inside(terminal, "inspect", "https://t.me/demo_bot/nix", "--save", "a.json")
    assert done.code == 1
    assert "BOT_APP_INVALID" in done.err
    assert SavedLaunch.read(terminal.folder / "a.json").stopped_at == "app"


def test_inspect_reveals_on_request_and_says_so(inside: Any, terminal: Terminal) -> None:
    done = inside(terminal, "inspect", APP, "--reveal", "--save", "a.json")
    assert done.err == "Saved: a.json (it holds secrets)\n"
    saved = SavedLaunch.read(terminal.folder / "a.json")
    assert saved.init_data is not None
    assert len(str(saved.init_data["hash"])) == 64


def test_inspect_shows_the_page_when_asked(inside: Any, terminal: Terminal) -> None:
    done = inside(terminal, "inspect", APP, "--host", "browser", "--save", "a.json", "--json")
    if "Chromium" in done.err:
        need("Chromium", done.err)
    assert done.code == 0
    saved = SavedLaunch.read(terminal.folder / "a.json")
    assert "web_app_ready" in [event.name for event in saved.events]
    assert len(saved.screenshots) == 1
    assert [one.kind for one in saved.network][:1] == ["document"]


def test_what_came_of_a_look_over_http_is_told_with_units(inside: Any, terminal: Terminal) -> None:
    inside(terminal, "inspect", APP, "--host", "http", "--save", "a.json", "--report", "a.html")
    page = SavedLaunch.read(terminal.folder / "a.json").page or {}
    assert isinstance(page["timing"], dict)
    total = page["timing"]["total"]
    assert isinstance(total, float)
    report = (terminal.folder / "a.html").read_text("utf-8")
    assert f"total <code>{duration(total)}</code>" in report
    assert f"<dd>{page['size']} bytes</dd>" in report
    shown = inside(terminal, "replay", "a.json")
    assert "http_version  HTTP/1.1" in shown.out


def test_replay_tells_how_it_was_made_and_judged(inside: Any, terminal: Terminal) -> None:
    inside(terminal, "inspect", "@demo_bot", "--via", "menu_button", "--save", "a.json")
    saved = SavedLaunch.read(terminal.folder / "a.json")
    judged = SavedJudgement(by="test_shop.py::test_it", verdict="failed", text="no")
    saved.model_copy(update={"judgement": judged}).write(terminal.folder / "a.json")
    shown = inside(terminal, "replay", "a.json").out
    assert "failed by test_shop.py::test_it" in shown
    assert "via=menu_button" in shown
    assert [line.split()[1:6] for line in shown.splitlines() if "first_launch" in line] == [
        ["first_launch", "│", "open", "the", "app"]
    ]


def test_open_saves_and_reports(inside: Any, terminal: Terminal) -> None:
    options = ("--for", "0.01", "--save", "a.json", "--report", "a.html", "--json")
    done = inside(terminal, "open", "@demo_bot", "--via", "menu_button", *options)
    assert done.code == 0
    saved = SavedLaunch.read(terminal.folder / "a.json")
    assert saved.closed == done.json["closed"] == "caller"
    assert (terminal.folder / "a.html").read_text("utf-8") == html(saved)


def test_replay_shows_reports_and_prints(inside: Any, terminal: Terminal) -> None:
    inside(terminal, "inspect", APP, "--save", "a.json", "--report", "a.html")
    shown = inside(terminal, "replay", "a.json")
    assert shown.code == 0
    for word in (APP, "messages.requestAppWebView", "signature", "caller", "All 3 readings agree"):
        assert word in shown.out
    done = inside(terminal, "replay", "a.json", "--report", "b.html", "--json")
    assert (done.code, done.json["target"]) == (0, APP)
    assert (terminal.folder / "b.html").read_bytes() == (terminal.folder / "a.html").read_bytes()


def test_replay_serves_the_launch(inside: Any, terminal: Terminal) -> None:
    """Another program that does as it is told finds the same app, and nothing of it is left at the end."""
    how = ("--via", "attachment_menu", "--chat", "bob_builds", "--platform", "ios", "--mode", "compact")
    inside(terminal, "inspect", "@demo_bot", *how, "--save", "a.json")
    there = Terminal(terminal.folder, "ready.json")
    command = [str(SCRIPT), "replay", "a.json", "--serve", "--ready-file", "ready.json"]
    with program(command, stderr=subprocess.PIPE, cwd=terminal.folder) as serving:
        assert serving.stderr is not None
        said = [serving.stderr.readline() for _ in range(3)]
        assert "miniapp login --phone 9996600001 --server ready.json" in said[0]
        again = said[1].removeprefix("     miniapp ").split()
        assert again == ["inspect", "@demo_bot", *how, "--server", "ready.json"]
        inside(there, "login", "--phone", "9996600001", typed="22222\n")
        done = inside(there, *again, "--save", "b.json")
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(PATIENCE) == 0
    assert done.code == 0
    assert not (terminal.folder / "ready.json").exists()
    told = inside(terminal, "diff", "a.json", "b.json", "--json").json
    # the token of that bot is known to the process of the sandbox only
    assert [change["where"] for change in told[0]["changes"]] == ["hash"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("inspect", APP, "--report", "no/a.html"), 2, "there is no folder no"),
        (("open", APP, "--save", "no/a.json"), 2, "there is no folder no"),
        (("replay", "none.json"), 1, "cannot be read: No such file"),
        (("replay", "none.json", "--ready-file", "x"), 2, "it is for --serve"),
        (("diff", "a.json"), 2, "give a second file, or two platforms"),
        (("diff", APP, "--platform", "ios"), 2, "give a second file, or two platforms"),
        (("diff", "a.json", "b.json", "--platform", "ios"), 2, "not for two files"),
        (("diff", "a.json", "b.json", "--host", "browser"), 2, "--host: it is for one link"),
        (("diff", "a.json", "b.json", "--start-param", "x"), 2, "--start-param: it is for one link"),
        (("diff", "a.json", "b.json"), 1, "cannot be read"),
        (("inspect", "none.txt", "--jsonl"), 1, "cannot be read"),
        (("inspect", __file__), 2, "is a file: --jsonl inspects the links in it"),
        (("inspect", "none.txt", "--jsonl", "--report", "a.html"), 2, "it is for one link"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    inside: Any, terminal: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = inside(terminal, *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("option", ["--report", "--save"])
def test_a_file_that_cannot_be_written_is_told(inside: Any, terminal: Terminal, option: str) -> None:
    done = inside(terminal, "inspect", APP, option, "/dev/full")
    told = "miniapp: /dev/full: No space left on device. Name a place that can be written.\n"
    assert (done.code, done.err) == (1, told)


# What changed


def test_diff_of_two_files(inside: Any, terminal: Terminal) -> None:
    for name, via in (("a.json", "menu_button"), ("b.json", "main_app")):
        inside(terminal, "inspect", "@demo_bot", "--via", via, "--save", name)
    done = inside(terminal, "diff", "a.json", "b.json")
    assert done.code == 1
    assert "messages.requestMainWebView" in done.out
    alike = inside(terminal, "diff", "a.json", "./a.json")
    assert (alike.code, alike.out) == (0, "")
    assert "alike" in alike.err


def test_diff_of_platforms(inside: Any, terminal: Terminal) -> None:
    platforms = ("--platform", "android", "--platform", "tdesktop", "--platform", "ios")
    done = inside(terminal, "diff", APP, *platforms, "--json")
    assert done.code == 1
    assert [(one["before"], one["after"]) for one in done.json] == [
        ("android", "tdesktop"),
        ("android", "ios"),
    ]
    for one in done.json:
        assert {change["where"] for change in one["changes"]} == {
            "platform", "messages.requestAppWebView.platform",
        }  # fmt: skip


# Many links


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_batch_goes_on_where_it_was(inside: Any, terminal: Terminal) -> None:
    source, out = terminal.folder / "links.txt", terminal.folder / "links.jsonl"
    source.write_text(f"# mine\n{APP}\n\n{APP}\nhttps://t.me/demo_bot/nix\n")
    first = inside(terminal, "inspect", "links.txt", "--jsonl", "--budget", "600")
    assert (first.code, first.out) == (1, "")
    assert "2 inspected, 0 were there; 1 are not as they should be" in first.err
    assert f"{APP[:21]}/nix: " in first.err
    assert f"{APP}: " not in first.err
    before = lines(out)
    assert [(line["target"], line["ok"]) for line in before] == [(APP, True), (f"{APP[:21]}/nix", False)]
    source.write_text(source.read_text() + "@plain_bot\n")
    with out.open("a") as file:
        file.write('{"target": "@pla')  # as a process leaves it that was killed
    second = inside(terminal, "inspect", "links.txt", "--jsonl", "--budget", "600")
    assert "1 inspected, 2 were there; 2 are not as they should be" in second.err
    assert lines(out)[:2] == before
    assert lines(out)[2]["target"] == "@plain_bot"
    third = inside(terminal, "inspect", "links.txt", "--jsonl", "-o", "links.jsonl")
    assert (third.code, third.err.split(":")[1]) == (
        1,
        " 0 inspected, 3 were there; 2 are not as they should be.\n",
    )


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, -signal.SIGTERM, marks=pytest.mark.slow),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGKILL"],
)
def test_a_batch_that_is_killed_loses_nothing_and_asks_nothing_twice(
    inside: Any, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    """In the middle of a flood wait; and what the data centre was asked says the same as the file."""
    terminal = Terminal(tmp_path, "ready.json")
    links = [f"https://t.me/demo_bot/app?startapp={number}" for number in range(9)]
    (tmp_path / "links.txt").write_text("\n".join(links))
    command = [str(SCRIPT), "inspect", "links.txt", "--jsonl"]
    with Sandbox().in_thread() as sandbox:
        ready_file.write(tmp_path / "ready.json", ready_file.describe(sandbox))
        inside(terminal, "login", "--phone", "9996621111", typed="22222\n")
        sandbox.faults.on("messages.requestAppWebView", going_wrong.FloodWait(600), skip=4)
        with program(command, stderr=subprocess.PIPE, cwd=tmp_path, env=terminal.environment()) as batch:
            assert batch.stderr is not None
            assert "asks for a pause of 600 s" in batch.stderr.readline()
            batch.send_signal(how)
            assert batch.wait(PATIENCE) == code
        before = (tmp_path / "links.jsonl").read_text()
        assert [line["target"] for line in lines(tmp_path / "links.jsonl")] == links[:4]
        again = inside(terminal, "inspect", "links.txt", "--jsonl")
        asked = [
            call.parameters["start_param"]
            for call in sandbox.log
            if call.method == "messages.requestAppWebView"
        ]
    assert again.code == 0
    assert "5 inspected, 4 were there; 0 are not as they should be" in again.err
    after = (tmp_path / "links.jsonl").read_text()
    assert after.startswith(before)
    assert [line["target"] for line in lines(tmp_path / "links.jsonl")] == links
    assert asked == ["0", "1", "2", "3", "4", "4", "5", "6", "7", "8"], "the refused one once more"


class Time:
    """Seconds that pass only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    async def wait(self, seconds: float) -> None:
        self.now += seconds


def budget_of(time: Time, per_minute: float) -> Budget:
    return Budget(per_minute, clock=lambda: time.now, wait=time.wait)


async def test_a_batch_keeps_within_its_budget(tmp_path: Path) -> None:
    time, out = Time(), tmp_path / "out.jsonl"
    links = [f"https://t.me/demo_bot/app?startapp={number}" for number in range(20)]
    async with launching(CALM) as (launcher, sandbox):
        sandbox.log.clear()
        await inspect_all(launcher, links, out, budget=budget_of(time, 12))
        asked = [call for call in sandbox.log if not call.method.startswith("updates.")]
    assert len(lines(out)) == len(links)
    allowed = 4 + time.now * 12 / 60  # what may be asked at once, and what was earned since
    assert len(asked) <= allowed <= len(asked) + 4


async def test_a_flood_wait_is_waited_out_and_the_link_tried_again(tmp_path: Path) -> None:
    time, out = Time(), tmp_path / "out.jsonl"
    async with launching(CALM) as (launcher, sandbox):
        sandbox.faults.on("messages.requestAppWebView", going_wrong.FloodWait(600))

        async def wait(seconds: float) -> None:
            await time.wait(seconds)
            launcher.client._flood_waited_requests.clear()  # Telethon goes by the time that really passes

        budget = Budget(600, clock=lambda: time.now, wait=wait)
        await inspect_all(launcher, [APP], out, budget=budget)
    assert [(line["target"], line["ok"]) for line in lines(out)] == [(APP, True)]
    assert time.now >= 600


@pytest.mark.parametrize(
    "fault", [going_wrong.FloodWait(12_167), going_wrong.Fail(401, "AUTH_KEY_UNREGISTERED")]
)
async def test_what_was_not_tested_has_no_line(tmp_path: Path, fault: going_wrong.Fail) -> None:
    time, out = Time(), tmp_path / "out.jsonl"
    async with launching(CALM) as (launcher, sandbox):
        sandbox.faults.on("messages.requestAppWebView", fault, skip=1, times=None)
        with pytest.raises(Exception, match=fault.name) as caught:
            await inspect_all(launcher, [APP, "@demo_bot", f"{APP}y"], out, budget=budget_of(time, 600))
    assert isinstance(caught.value, FloodWait) == fault.name.startswith("FLOOD")
    assert [line["target"] for line in lines(out)] == [APP, "@demo_bot"]
    assert time.now < 600


async def test_the_file_of_links(tmp_path: Path) -> None:
    source = tmp_path / "links.txt"
    source.write_bytes("\ufeff @a \r\n#b\r\n\r\n@c\r\n@a\r\n".encode())
    assert links_in(source) == ["@a", "@c"]
    for content, said in ((b"# none\n", "has no links"), (b"\xff\xfe\x00", "it is not text")):
        source.write_bytes(content)
        with pytest.raises(BadInput, match=said):
            links_in(source)


async def test_a_file_that_holds_something_else_is_not_written_to(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert done_already(out) == {}
    whole = '{"target": "@a", "ok": true, "digest": "1"}\n'
    out.write_text(whole)
    assert done_already(out) == {"1": True}
    for content in (
        "a letter\nto somebody",
        f"{whole}[]\n",
        '{"a": 1}\n',
        "a note",
        f"{whole}[1",
        '{"a": 1}',
    ):
        out.write_text(content)
        with pytest.raises(BadInput, match="no file of results"):
            done_already(out)
        assert out.read_text() == content


def test_what_was_inspected_otherwise_is_inspected_again(inside: Any, terminal: Terminal) -> None:
    (terminal.folder / "links.txt").write_text(f"{APP}\n")
    before = ""
    for how, said in (
        ((), "1 inspected, 0 were there"),
        ((), "0 inspected, 1 were there"),
        (("--platform", "ios"), "1 inspected, 0 were there"),
        (("--allow", "phone"), "1 inspected, 0 were there"),
        (("--platform", "ios", "--reveal"), "0 inspected, 1 were there"),
    ):
        assert said in inside(terminal, "inspect", "links.txt", "--jsonl", *how).err, how
        after = (terminal.folder / "links.jsonl").read_text()
        assert after.startswith(before)
        before = after
    assert [line["target"] for line in lines(terminal.folder / "links.jsonl")] == [APP] * 3


async def test_a_passing_trouble_is_no_result(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    told: list[Inspection] = []
    async with launching(replace(CALM, retries=())) as (launcher, sandbox):
        sandbox.faults.on("messages.requestAppWebView", going_wrong.Fail(500, "INTERNAL"))
        await inspect_all(launcher, [APP, f"{APP}y"], out, budget=Budget(600), told=told.append)
    assert [one.ok for one in told] == [False, True]
    assert done_already(out) == {digest(f"{APP}y"): True}


@pytest.mark.slow  # Telethon waits two seconds after each
def test_what_met_a_passing_trouble_is_inspected_by_the_next_run(inside: Any, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "ready.json")
    links = [APP, f"{APP}y", f"{APP}z"]
    (tmp_path / "links.txt").write_text("\n".join(links))
    with Sandbox().in_thread() as sandbox:
        ready_file.write(tmp_path / "ready.json", ready_file.describe(sandbox))
        inside(terminal, "login", "--phone", "9996621111", typed="22222\n")
        fault = going_wrong.Fail(500, "INTERNAL")
        sandbox.faults.on("messages.requestAppWebView", fault, times=9)
        first = inside(terminal, "inspect", "links.txt", "--jsonl", "--budget", "600")
        sandbox.faults.clear()
        second = inside(terminal, "inspect", "links.txt", "--jsonl", "--budget", "600")
    assert first.code == 1
    assert "met a passing trouble of Telegram's: run this again" in first.err
    assert second.code == 0, "what was not tested is tried again"
    assert {line["target"]: line["ok"] for line in lines(tmp_path / "links.jsonl")} == dict.fromkeys(
        links, True
    )


INVITES = ["https://t.me/+GuardedChannelInvite", "https://t.me/joinchat/PrivateClubInvite"]


def test_a_batch_tells_invite_links_apart_and_does_not_tell_them(inside: Any, terminal: Terminal) -> None:
    (terminal.folder / "links.txt").write_text("\n".join([APP, *INVITES]))
    first = inside(terminal, "inspect", "links.txt", "--jsonl")
    second = inside(terminal, "inspect", "links.txt", "--jsonl")
    assert "https://t.me/joinchat/*** (link 3): The chat was joined at once." in first.err
    assert "0 inspected, 3 were there; 1 are not as they should be" in second.err
    found = lines(terminal.folder / "links.jsonl")
    assert [line["target"] for line in found] == [APP, "https://t.me/+***", "https://t.me/joinchat/***"]
    told = first.err + (terminal.folder / "links.jsonl").read_text()
    assert "Invite" not in told.replace('"InviteLink"', "").replace("importChatInvite", "").replace(
        "chatInviteJoinResult", ""
    )


@pytest.mark.parametrize("arguments", [("--jsonl",), ("--save", "links.jsonl", "--report", "report.html")])
def test_what_holds_secrets_is_for_its_owner(
    inside: Any, terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    for name in ("links.jsonl", "report.html"):
        (terminal.folder / name).touch(mode=0o644)
    (terminal.folder / "links.txt").write_text(INVITES[0])
    target = "links.txt" if arguments == ("--jsonl",) else INVITES[0]
    assert inside(terminal, "inspect", target, *arguments, "--reveal").code == 0
    written = [file for file in terminal.folder.iterdir() if INVITES[0] in file.read_text("utf-8")]
    others = [file.name for file in written if file.name != "links.txt" and file.stat().st_mode & 0o077]
    assert (len(written), others) == (2 if arguments == ("--jsonl",) else 3, [])


def test_results_do_not_overwrite_the_links(inside: Any, terminal: Terminal) -> None:
    source = terminal.folder / "links.jsonl"
    source.write_text(APP)
    refused = inside(terminal, "inspect", "links.jsonl", "--jsonl")
    assert (refused.code, source.read_text()) == (2, APP)
    assert "would overwrite the links" in " ".join(refused.err.split())


def test_a_launch_url_given_as_a_link_is_not_told(inside: Any, terminal: Terminal) -> None:
    url = "https://shop.example/#tgWebAppData=hash%3Dcanary0123&tgWebAppVersion=9.1"
    for command in ("inspect", "check", "verify @demo_bot --link", "inspect --json", "check --json"):
        told = inside(terminal, *command.split(), url)
        assert told.code
        assert "canary" not in told.out + told.err, command


async def test_secrets_of_a_batch_are_masked(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    async with launching(CALM) as (launcher, _):
        await inspect_all(launcher, [APP], out, budget=Budget(600))
    assert lines(out)[0]["answer"]["init_data"]["hash"] == "***"
