"""Contact with reality, tried on a sandbox in which one assumption at a time is another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from telethon.tl import functions, types
from typer.testing import CliRunner

from flows import BadInput, Consent
from launcher.budget import Budget, budget_for
from launcher.cli import app as command_line
from launcher.launcher import Launcher
from launcher.sandbox import Sandbox
from launcher.sandbox.assumptions import ASSUMPTIONS
from launcher.sandbox.default_world import ALICE, DEMO_BOT
from launcher.sandbox.faults import DropBefore, Fail, FloodWait
from launcher.sandbox.ready_file import describe, write
from launcher.sandbox.world import Message
from launcher.servers import server_inside, server_of
from launcher.settings import Settings
from launcher.verify import WRITES, Step, Verdict, Verification, verify
from launcher.verify.openings import JOIN, Way
from launcher.verify.table import OBSERVATIONS, UNTESTED
from tests.running import calls_of, in_own_task, launching

on_stage = pytest.mark.asyncio(loop_scope="session")
"""For tests that share the stage."""

INVITE = "https://t.me/+GuardedChannelInvite"
ELSEWHERE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "restricted_bots_open_no_web_views": ("alice", "@restricted_bot", {}),
    "apps_in_menus_open_only_when_installed": ("bob_builds", "@demo_bot", {}),
    "join_guard_learns_the_user": ("alice", "@guard_bot", {"links": [INVITE], "allowed": ["chat_join"]}),
}
"""What the bot that can do everything and the account that has installed it cannot show."""
DEMO = [name for name in OBSERVATIONS if name not in ELSEWHERE]


def unhurried() -> Budget:
    return Budget(1e6)


@dataclass(frozen=True)
class Stage:
    launcher: Launcher
    sandbox: Sandbox
    before: dict[int, set[int]]

    async def verified(self) -> Verification:
        """Everything that writes is allowed; the account has let nobody write to it before, and what was
        written for another test is gone."""
        self.sandbox.world.user("alice").writes_allowed.clear()
        for owner, box in self.sandbox.world.boxes.items():
            for late in box.messages.keys() - self.before[owner]:
                del box.messages[late]
        return await verify(self.launcher, "@demo_bot", allowed=WRITES, budget=unhurried())


async def shares_its_number(launcher: Launcher) -> None:
    """What an app of the bot has asked for, once upon a time."""
    contact = types.InputMediaContact("9996621111", "Alice", "Liddell", "")
    await launcher.client(functions.messages.SendMediaRequest("demo_bot", contact, ""))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The demo bot may guard chats, and its attachment app is not for chats with people."""
    async with in_own_task(launching(seconds=300)) as (launcher, sandbox):
        bot = sandbox.world.bot("demo_bot")
        assert bot.attach_menu is not None
        bot.guard = True
        bot.attach_menu.peer_types.discard("pm")
        await shares_its_number(launcher)
        yield Stage(
            launcher, sandbox, {owner: set(box.messages) for owner, box in sandbox.world.boxes.items()}
        )


def test_every_assumption_is_looked_at_or_says_why_not() -> None:
    assert OBSERVATIONS.keys() | UNTESTED.keys() == ASSUMPTIONS.keys()
    assert not OBSERVATIONS.keys() & UNTESTED.keys()
    assert WRITES.keys() - OBSERVATIONS.keys() == {"chat_join"}


@on_stage
async def test_the_sandbox_is_as_it_assumes(stage: Stage) -> None:
    found = await stage.verified()
    confirmed = {finding.name for finding in found.findings if finding.verdict is Verdict.CONFIRMED}
    assert confirmed == set(DEMO)
    assert [finding.name for finding in found.findings] == list(ASSUMPTIONS)
    assert {finding.name for finding in found.findings if not finding.what} == set()
    assert {one.flow for one in found.opened if one.exchange is not None} == {
        "main_app", "menu_button", "attachment_menu", "side_menu", "inline_mode", "keyboard_button",
        "inline_button", "direct_link",
    }  # fmt: skip
    assert found.stopped is None


@on_stage
@pytest.mark.parametrize("name", DEMO)
async def test_one_flipped_assumption_is_contradicted_alone(stage: Stage, name: str) -> None:
    stage.sandbox.assumptions.flip(name)
    try:
        found = await stage.verified()
    finally:
        stage.sandbox.assumptions.flip(name)
    assert [one.name for one in found.findings if one.verdict is Verdict.CONTRADICTED] == [name]
    assert found.counts[Verdict.CONFIRMED] == len(DEMO) - 1
    assert found.of(name).exchange is not None


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_what_takes_another_bot_or_account(name: str) -> None:
    account, bot, options = ELSEWHERE[name]
    async with launching(account=account) as (launcher, sandbox):
        before = await verify(launcher, bot, budget=unhurried(), **options)
        sandbox.assumptions.flip(name)
        after = await verify(launcher, bot, budget=unhurried(), **options)
    assert before.of(name).verdict is Verdict.CONFIRMED
    assert before.counts[Verdict.CONTRADICTED] == 0
    assert [one.name for one in after.findings if one.verdict is Verdict.CONTRADICTED] == [name]
    assert after.counts[Verdict.CONFIRMED] == before.counts[Verdict.CONFIRMED] - 1


# What is left alone


async def test_nothing_is_written_that_was_not_allowed() -> None:
    async with launching() as (launcher, sandbox):
        before = _written(sandbox)
        found = await verify(launcher, "@demo_bot", budget=unhurried())
        assert _written(sandbox) == before
        writing = calls_of(
            sandbox, "messages.sendMessage", "bots.allowSendMessage", "messages.sendWebViewData"
        )
    assert writing == []
    for name in WRITES.keys() & OBSERVATIONS.keys():
        assert found.of(name).verdict is Verdict.UNTESTED
        assert "allowed" in found.of(name).what


def _written(sandbox: Sandbox) -> dict[int, Any]:
    """The messages in every box, and who may write to whom."""
    boxes = {owner: dict(box.messages) for owner, box in sandbox.world.boxes.items()}
    users = {user.id: (set(user.writes_allowed), set(user.attach_menu)) for user in sandbox.world.users()}
    return {**{owner: len(messages) for owner, messages in boxes.items()}, 0: users}


async def test_one_thing_may_be_allowed_by_name() -> None:
    name = "keyboards_of_people_are_dropped"
    async with launching() as (launcher, _):
        found = await verify(launcher, "@demo_bot", allowed=[name], budget=unhurried())
        with pytest.raises(BadInput, match="Nothing is written for platforms_have"):
            await verify(launcher, "@demo_bot", allowed=["platforms_have_a_checked_form"])
    assert [
        one for one in OBSERVATIONS if one in WRITES and found.of(one).verdict is not Verdict.UNTESTED
    ] == [name]


async def test_what_the_bot_alone_sees_takes_its_token() -> None:
    async with launching() as (launcher, sandbox):
        launcher.sandbox = None  # as with Telegram's servers: nobody tells the token
        found = await verify(launcher, "@demo_bot", budget=unhurried())
        assert [one for one in sandbox.log if one.account == sandbox.world.bot("demo_bot").id] == []
        with pytest.raises(BadInput, match="TELEGRAM_BOT_TOKEN"):
            await verify(launcher)
    assert "TELEGRAM_BOT_TOKEN" in found.of("bots_get_bot_method_invalid").what


async def test_a_link_is_opened_too_if_it_only_opens_an_app() -> None:
    async with launching() as (launcher, sandbox):
        found = await verify(launcher, "@demo_bot", links=["t.me/demo_bot/notes"], budget=unhurried())
        before = len(sandbox.log)
        for link in ("https://t.me/demo_bot?start=x", "https://t.me/demo_news", "nothing"):
            with pytest.raises(BadInput, match="is no"):
                await verify(launcher, "@demo_bot", links=[link])
        assert len(sandbox.log) == before
    assert ("direct_link", "t.me/demo_bot/notes") in [(one.flow, one.target) for one in found.opened]


async def test_of_the_links_in_messages_the_latest_few_are_tried() -> None:
    async with launching() as (launcher, sandbox):
        for number in range(5):
            link = f"https://t.me/demo_bot/app?startapp=l{number}"
            entity = types.MessageEntityTextUrl(offset=0, length=4, url=link)
            sandbox.world.boxes[ALICE].add(Message(0, DEMO_BOT, DEMO_BOT, "Open", entities=[entity]))
        found = await verify(launcher, "@demo_bot", budget=unhurried())
    tried = [one.target.partition("=")[2] for one in found.opened if one.flow == "direct_link"]
    assert tried == ["l4", "l3", "l2"]


JOINING = ("messages.importChatInvite", "messages.requestChatJoinWebView")


@pytest.mark.parametrize(
    ("bot", "links", "allowed", "asked", "why"),
    [
        ("@guard_bot", [INVITE], ["chat_join"], JOINING, None),
        ("@guard_bot", [INVITE], [], (), "it asks to join the chat, which takes --allow chat_join"),
        ("@guard_bot", [], ["chat_join"], (), "it takes --link t.me/+… to a chat that the bot guards"),
        ("@plain_bot", [INVITE], ["chat_join"], JOINING, "this is an app of @guard_bot"),
        (
            "@guard_bot",
            ["t.me/+PrivateClubInvite"],
            ["chat_join"],
            JOINING[:1],
            "The chat was joined at once.",
        ),
    ],
)
async def test_a_chat_that_the_bot_guards_is_asked_to_join_only_by_leave(
    bot: str, links: list[str], allowed: list[str], asked: Sequence[str], why: str | None
) -> None:
    async with launching() as (launcher, sandbox):
        steps: list[Step] = []
        found = await verify(
            launcher, bot, links=links, allowed=allowed, budget=unhurried(), told=steps.append
        )
        made = calls_of(sandbox, *JOINING)
    one = next(one for one in found.opened if one.flow == "chat_join")
    assert one.why == why
    assert (None if one.exchange is None else one.exchange.method) == (None if why else JOINING[1])
    assert made == [*asked, JOINING[1]], "the last one is for a query that nobody has made"
    assert found.of("join_guard_learns_the_user").verdict == ("untested" if why else "confirmed")
    assert [step.number for step in steps] == list(range(1, steps[0].of + 1))


async def test_a_bot_that_offers_little_leaves_much_untested() -> None:
    async with launching() as (launcher, _):
        found = await verify(launcher, "@plain_bot", budget=unhurried())
    assert [one for one in found.opened if one.exchange is not None] == []
    assert all(one.why for one in found.opened)
    assert found.of("the_main_app_checks_its_peer").verdict is Verdict.UNTESTED
    assert found.of("unknown_join_query_is_query_id_invalid").verdict is Verdict.CONFIRMED


async def test_a_declined_question_leaves_its_app_closed() -> None:
    async with launching() as (launcher, _):
        no = Consent(first_launch="decline")
        found = await verify(launcher, "@demo_bot", consent=no, budget=unhurried())
    assert [one for one in found.opened if one.exchange is not None] == []


# Limits


@pytest.mark.parametrize("fault", [FloodWait(600), DropBefore()], ids=["flood wait", "lost connection"])
async def test_what_stops_it_leaves_what_it_has(fault: Any) -> None:
    async with launching() as (launcher, sandbox):
        sandbox.faults.on("bots.checkDownloadFileParams", fault)
        found = await verify(launcher, "@demo_bot", budget=unhurried())
    assert found.stopped
    assert found.of("platforms_have_a_checked_form").verdict is Verdict.CONFIRMED
    late = found.of("an_unknown_request_is_webapp_req_id_invalid")
    assert late.verdict is Verdict.UNTESTED
    assert late.what.startswith("not reached: ")


async def test_a_server_in_trouble_contradicts_nothing() -> None:
    async with launching() as (launcher, sandbox):
        sandbox.faults.on("bots.checkDownloadFileParams", Fail(500, "WORKER_BUSY_TOO_LONG_RETRY"), skip=1)
        found = await verify(launcher, "@demo_bot", budget=unhurried())
    trouble = found.of("downloads_are_judged_by_address_and_name")
    assert (trouble.verdict, found.stopped) == (Verdict.UNTESTED, None)


@pytest.mark.parametrize(
    ("method", "skip", "name"),
    [
        ("bots.checkDownloadFileParams", 0, "downloads_are_judged_by_address_and_name"),
        ("bots.invokeWebViewCustomMethod", 0, "cloud_storage_leaves_missing_keys_out"),
        ("bots.invokeWebViewCustomMethod", 0, "requested_contacts_have_a_plus"),
        ("bots.allowSendMessage", 1, "write_access_is_granted_once"),
        ("bots.canSendMessage", 1, "write_access_nobody_asked_for_is_ignored"),
        ("messages.getPreparedInlineMessage", 0, "prepared_messages_without_kinds_go_anywhere"),
    ],
)
async def test_a_refusal_is_no_sight_of_what_an_answer_would_show(method: str, skip: int, name: str) -> None:
    """Neither for nor against: the server may refuse for reasons of its own."""
    async with launching() as (launcher, sandbox):
        sandbox.faults.on(method, Fail(400, "OF_ITS_OWN"), skip=skip, times=None)
        found = await verify(launcher, "@demo_bot", allowed=WRITES, budget=unhurried())
    assert (found.of(name).verdict, "400 OF_ITS_OWN" in found.of(name).what) == (Verdict.UNTESTED, True)


async def test_a_flood_wait_at_once_leaves_all_untested() -> None:
    async with launching() as (launcher, sandbox):
        sandbox.faults.on("messages.requestMainWebView", FloodWait(600))
        found = await verify(launcher, "@demo_bot", budget=unhurried())
    assert found.counts == {Verdict.CONFIRMED: 0, Verdict.CONTRADICTED: 0, Verdict.UNTESTED: len(ASSUMPTIONS)}


async def test_every_request_is_within_the_budget() -> None:
    """As much time as the budget wants has passed, on a clock that moves when it is waited for; and what is
    told before each step says how much of that is still to come."""
    now, steps, waited = 0.0, list[Step](), list[float]()

    async def wait(seconds: float) -> None:
        nonlocal now
        now += seconds
        if waited:
            waited[-1] += seconds

    def told(step: Step) -> None:
        steps.append(step)
        waited.append(0.0)

    async with launching() as (launcher, sandbox):
        sandbox.log.clear()
        budget = Budget(60, clock=lambda: now, wait=wait)
        found = await verify(launcher, "@demo_bot", budget=budget, told=told)
        made = len([one for one in sandbox.log if one.account is not None])
    assert found.requests <= made + 8
    assert found.requests >= 40
    assert now >= found.requests - 15 - 8, "60 in a minute, 15 of them at once"
    late = [(step.pause, seconds) for step, seconds in zip(steps, waited, strict=True) if step.pause]
    assert late
    assert [pause for pause, seconds in late if seconds < pause] == []


async def test_each_step_is_told_before_it_is_made() -> None:
    steps, seen = list[Step](), list[int]()
    async with launching() as (launcher, sandbox):
        sandbox.log.clear()

        def told(step: Step) -> None:
            steps.append(step)
            seen.append(len(calls_of(sandbox, "messages.requestMainWebView")))

        found = await verify(launcher, "@demo_bot", told=told)  # a sandbox takes all at once
    looked_at = [name for name in OBSERVATIONS if name not in WRITES]
    ways = [one for one in found.opened if one.flow != "chat_join"]  # which there is no link for
    assert [step.number for step in steps] == list(range(1, len(ways) + len(looked_at) + 1))
    assert {step.of for step in steps} == {len(steps)}
    assert [step.what for step in steps[:2]] == ["open main app", "open menu button"]
    assert steps[-1].what == f"see whether {looked_at[-1].replace('_', ' ')}"
    assert seen[:2] == [0, 1]
    assert steps[0].requests < steps[-1].requests < found.requests
    assert {step.pause for step in steps} == {0.0}


def test_how_much_may_be_asked_of_whom() -> None:
    """Of Telegram's servers 20 requests in a minute; a sandbox is on the same machine and limits nobody."""
    settings = Settings(api_id=1, api_hash="x", server="test", _env_file=None)
    assert budget_for(server_of(settings)).per_minute == 20
    with Sandbox().in_thread() as sandbox:
        assert budget_for(server_inside(sandbox)).pause_before(5_000) == 0
        assert budget_for(server_inside(sandbox), 30).per_minute == 30


def test_an_invite_link_is_not_told() -> None:
    way = Way(JOIN, "https://t.me/+canary0123")
    assert "canary" not in f"{way} {way.shown}"


@on_stage
async def test_no_secret_is_told(stage: Stage) -> None:
    found = await stage.verified()
    told = json.dumps(found.to_json())
    views = [one.exchange.answer.url for one in found.opened if one.exchange is not None]
    secrets = [view.partition("tgWebAppData=")[2][:60] for view in views if "tgWebAppData=" in view]
    assert secrets
    for secret in [*secrets, stage.sandbox.world.bot("demo_bot").token, "9996621111"]:
        assert secret not in told


# The command


def test_the_command_tells_and_saves(tmp_path: Path) -> None:
    file = tmp_path / "verified.json"
    arguments = ["verify", "@demo_bot", "--server", "sandbox", "--save", str(file)]
    result = CliRunner().invoke(command_line, arguments)
    assert result.exit_code == 0, result.output
    assert (
        "  platforms_have_a_checked_form: messages.requestAppWebView: 400 PLATFORM_INVALID" in result.stdout
    )
    told = result.stderr.splitlines()  # a line each, where there is no terminal
    assert told[0] == f"1/{len(told)} open main app (2 requests made)"
    assert told[-1].startswith(f"{len(told)}/{len(told)} see whether ")
    saved = json.loads(file.read_text())
    assert saved["counts"]["contradicted"] == 0
    assert {one["name"] for one in saved["assumptions"]} == set(ASSUMPTIONS)
    assert saved["assumptions"][0].keys() == {"name", "holds", "verdict", "what", "exchange"}


def test_the_command_shows_what_is_contradicted(tmp_path: Path) -> None:
    """A sandbox apart, an account that has signed in to it, and a bot that only its token names."""
    flipped = "the_main_app_checks_its_peer"
    file = tmp_path / "ready.json"
    with Sandbox(flipped=[flipped]).in_thread() as sandbox:
        token = sandbox.world.bot("demo_bot").token
        write(file, describe(sandbox))
        environment = {"TELEGRAM_SESSIONS": str(tmp_path / "sessions"), "TELEGRAM_BOT_TOKEN": token}

        def run(*arguments: str, typed: str = "") -> Any:
            every = [*arguments, "--server", str(file)]
            return CliRunner().invoke(command_line, every, input=typed, env=environment)

        assert run("login", "--phone", "9996621111", typed="22222\n").exit_code == 0
        as_json = run("verify", "--json")
        result = CliRunner(env={"FORCE_COLOR": "1"}).invoke(  # a terminal, as far as rich is concerned
            command_line, ["verify", "--server", str(file)], env=environment
        )
    assert (as_json.exit_code, as_json.stderr) == (1, "")
    assert "\x1b[2K" in result.stderr, "drawn anew in its place"
    assert "see whether a menu button of" in result.stderr
    assert result.exit_code == 1, result.output
    before, _, after = result.stdout.partition(f"  {flipped}: messages.requestMainWebView: answered with")
    assert "contradicted: 1\n" in before
    assert '"access_hash": "***"' in after.partition("confirmed: ")[0]
    assert "  bots_get_bot_method_invalid: messages.requestMainWebView: 400 BOT_METHOD_INVALID" in after
    assert "@demo_bot on sandbox, " in after
    assert token not in result.output


def test_it_needs_no_extra() -> None:
    """What monitoring, Metapro, pages and several machines need is not there: these two do without."""
    extras = (
        "yaml",
        "starlette",
        "uvicorn",
        "prometheus_client",
        "playwright",
        "eth_account",
        "procrastinate",
    )
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({extras!r}))\n"
        "import launcher.cli.verify, launcher.cli.batch, launcher.verify, launcher.inspection.batch"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
