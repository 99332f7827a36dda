"""Direct links over the wire: what is looked up, what is asked, what is requested, what is remembered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from telethon.tl import types

from flows import (
    AppNotFound,
    BadInput,
    Cache,
    CannotOpen,
    Consent,
    ConsentDeclined,
    DirectLinkApp,
    HiddenLink,
    RpcFailed,
)
from launcher.sandbox import Act, Delay, Fail
from launcher.sandbox.default_world import BOB, DEMO_BOT, GROUP
from tests.opened import Account, Asker, account

APP, CLOSED, NOTES = (f"https://t.me/demo_bot/{name}" for name in ("app", "closed", "notes"))
REQUEST = "messages.requestAppWebView"
COLD = ["contacts.resolveUsername", "messages.getBotApp", REQUEST]
WARM = ["messages.getBotApp", REQUEST]


async def test_a_cold_link_takes_three_requests_and_a_warm_one_two() -> None:
    async with account() as alice:
        opened = await alice.open(APP)
        assert alice.asked == COLD
        assert alice.sent("messages.getBotApp")["hash"] == 0
        alice.forget_calls()
        assert (await alice.open(APP)).app == opened.app
        assert alice.asked == WARM
        assert alice.sent("messages.getBotApp")["hash"] == alice.bot.apps["app"].hash


async def test_the_request_names_the_app_by_id_and_the_bot_as_chat() -> None:
    async with account() as alice:
        opened = await alice.open(APP + "?startapp=x-1")
        assert isinstance(opened.app, DirectLinkApp)
        sent = alice.sent(REQUEST)
        assert sent["app"] == types.InputBotAppID(opened.app.app.id, opened.app.app.access_hash)
        assert sent["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
        assert sent["start_param"] == "x-1"
        assert opened.web_view.query_id is None
        assert opened.web_view.launch_params.start_param == "x-1"


@pytest.mark.parametrize(
    ("mode", "flags"),
    [("compact", {"compact": True}), ("fullscreen", {"fullscreen": True}), ("other", {})],
)
async def test_the_mode_of_the_link_becomes_a_flag(mode: str, flags: dict[str, bool]) -> None:
    async with account() as alice:
        await alice.open(f"{APP}?mode={mode}")
        sent = alice.sent(REQUEST)
    assert {name: sent[name] for name in ("compact", "fullscreen") if name in sent} == flags


async def test_a_user_is_no_bot_and_is_not_asked_for_an_app() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "https://t.me/bob_builds/app")
        assert "@bob_builds is not a bot" in error.meaning
        assert alice.asked == ["contacts.resolveUsername"]


async def test_a_name_of_nobody_is_said_to_be_one() -> None:
    async with account() as alice:
        error = await alice.refused(RpcFailed, "https://t.me/nobody_there_bot/app")
        assert error.name == "USERNAME_NOT_OCCUPIED"
        assert alice.asked == ["contacts.resolveUsername"]


async def test_a_restricted_bot_is_refused_before_its_app_is_looked_up() -> None:
    async with account() as alice:
        assert "restricts" in (await alice.refused(CannotOpen, "https://t.me/restricted_bot/app")).meaning
        assert alice.asked == ["contacts.resolveUsername"]


async def test_not_modified_keeps_the_remembered_app_and_takes_the_fresh_flags() -> None:
    async with account() as alice:
        await alice.open(APP)
        alice.bot.apps["app"].request_write_access = True
        asker = Asker()
        opened = await alice.open(APP, asker)
        assert asker.questions == [{"write_access"}]
        assert alice.sent(REQUEST)["write_allowed"] is True
        assert isinstance(opened.app, DirectLinkApp)
        assert opened.app.app.title == "The app"


async def test_a_changed_hash_brings_the_new_app() -> None:
    async with account() as alice:
        await alice.open(APP)
        alice.bot.apps["app"].hash, alice.bot.apps["app"].title = 2, "Renamed"
        opened = await alice.open(APP)
        assert alice.sent("messages.getBotApp")["hash"] == 1
        assert isinstance(opened.app, DirectLinkApp)
        assert (opened.app.app.title, opened.app.app.hash) == ("Renamed", 2)
        await alice.open(APP)
        assert alice.sent("messages.getBotApp")["hash"] == 2


# Questions


async def test_everything_there_is_to_ask_is_asked_in_one_prompt() -> None:
    async with account() as alice:
        alice.bot.apps["closed"].request_write_access = True
        asker = Asker()
        await alice.open(HiddenLink(CLOSED), asker)
        assert asker.questions == [{"first_launch", "inactive_app", "hidden_link", "write_access"}]
        assert asker.prompts[0].bot == "demo_bot"
        assert alice.sent(REQUEST)["write_allowed"] is True


async def test_a_quiet_app_of_a_known_bot_asks_nothing() -> None:
    async with account() as alice:
        asker = Asker()
        await alice.open(APP, asker)
        await alice.open(APP, asker)
        assert asker.questions == [{"first_launch"}]
        assert "write_allowed" not in alice.sent(REQUEST)


async def test_a_verified_bot_is_not_asked_about() -> None:
    async with account() as alice:
        alice.bot.verified = True
        asker = Asker(False)
        await alice.open(APP, asker)
        assert asker.prompts == []


async def test_declined_write_access_still_opens() -> None:
    async with account() as alice:
        opened = await alice.open(NOTES)
        assert "write_allowed" not in alice.sent(REQUEST)
        assert opened.web_view.init_data is not None
        assert DEMO_BOT not in alice.sandbox.world.user("alice").writes_allowed


async def test_allowed_write_access_is_told_with_the_request() -> None:
    async with account() as alice:
        await alice.open(NOTES, Consent("write_access"))
        assert alice.sent(REQUEST)["write_allowed"] is True
        assert DEMO_BOT in alice.sandbox.world.user("alice").writes_allowed


@pytest.mark.parametrize("question", ["first_launch", "inactive_app"])
async def test_declining_to_open_opens_nothing(question: str) -> None:
    async with account() as alice:
        answers: dict[str, Any] = {question: "decline"}
        error = await alice.refused(ConsentDeclined, CLOSED, Consent(**answers))
        assert error.question == question
        assert REQUEST not in alice.asked
        assert alice.cache.confirmed == set()


async def test_a_link_the_caller_typed_is_not_hidden_and_one_they_did_not_is_declined() -> None:
    async with account() as alice:
        await alice.open(APP)
        assert (await alice.refused(ConsentDeclined, HiddenLink(APP))).question == "hidden_link"
        await alice.open(HiddenLink(APP), Consent("hidden_link"))


# The chat it is opened in


async def test_the_chat_of_the_click_is_the_peer() -> None:
    async with account() as alice:
        message = await alice.message(-GROUP, "Open the app")
        await alice.open(message, Consent("hidden_link"), button="Open")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerChat(GROUP)
        assert alice.sent(REQUEST)["start_param"] == "button"


async def test_a_named_chat_is_the_peer() -> None:
    async with account() as alice:
        opened = await alice.open(APP, chat="@bob_builds")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))
        assert opened.web_view.init_data is not None
        assert opened.web_view.init_data.chat_type == "private"


# What is remembered


async def test_a_removed_app_is_forgotten() -> None:
    async with account() as alice:
        await alice.open(APP)
        del alice.bot.apps["app"]
        assert (await alice.refused(AppNotFound, APP)).name == "BOT_APP_INVALID"
        assert alice.cache.apps == {}


async def test_an_app_removed_between_looking_and_asking_is_forgotten_too() -> None:
    async with account() as alice:
        alice.sandbox.faults.on(REQUEST, Fail(400, "BOT_APP_INVALID"))
        await alice.refused(AppNotFound, APP)
        assert alice.cache.apps == {}
        assert alice.asked == COLD


async def test_the_cache_stays_warm_across_runs() -> None:
    async with account() as alice:
        await alice.open(APP)
        stored = json.dumps(alice.cache.to_json())
        alice.cache = Cache.from_json(json.loads(stored))
        alice.forget_calls()
        asker = Asker()
        await alice.open(APP, asker)
        assert alice.asked == WARM
        assert alice.sent("messages.getBotApp")["hash"] == 1
        assert asker.prompts == []


async def test_an_app_is_remembered_whatever_the_case_of_its_name() -> None:
    async with account() as alice:
        await alice.open(APP)
        alice.forget_calls()
        await alice.open("https://t.me/Demo_Bot/APP")
        assert alice.asked == WARM
        assert alice.sent("messages.getBotApp")["hash"] == 1


# One round trip


async def opened_before(alice: Account) -> None:
    await alice.open(APP)
    alice.forget_calls()


async def test_speculation_asks_for_app_and_web_view_at_once() -> None:
    async with account() as alice:
        await opened_before(alice)
        opened = await alice.open(APP + "?startapp=x&mode=compact", speculate=True)
        assert sorted(alice.asked) == sorted(WARM)
        assert alice.sent(REQUEST)["start_param"] == "x"
        assert alice.sent(REQUEST)["compact"] is True
        assert "write_allowed" not in alice.sent(REQUEST)
        assert opened.web_view.launch_params.start_param == "x"


@pytest.mark.parametrize("unanswered", WARM)
async def test_speculation_is_one_round_trip(unanswered: str) -> None:
    """Each of the two requests is made while the other one has no answer yet."""
    async with account() as alice:
        await opened_before(alice)
        made, (other,) = asyncio.Event(), set(WARM) - {unanswered}
        alice.sandbox.faults.on(unanswered, Delay(3600))
        alice.sandbox.faults.on(other, Act(lambda _: made.set()))
        opening = asyncio.create_task(alice.open(APP, speculate=True))
        await asyncio.wait_for(made.wait(), 60)
        opening.cancel()


@pytest.mark.parametrize("target", [APP, CLOSED, HiddenLink(APP)])
async def test_nothing_is_speculated_on_without_having_seen_it(target: Any) -> None:
    async with account() as alice:
        await alice.open(target, Consent("hidden_link"), speculate=True)
        assert alice.asked == COLD


async def test_an_app_that_asks_is_not_speculated_on() -> None:
    async with account() as alice:
        await alice.open(NOTES)
        alice.forget_calls()
        await alice.open(NOTES, speculate=True)
        assert alice.asked == WARM


def change_hash(alice: Account) -> None:
    alice.bot.apps["app"].hash += 1


def close(alice: Account) -> None:
    alice.bot.apps["app"].active = False
    alice.bot.apps["app"].opened_by.clear()


def ask_write_access(alice: Account) -> None:
    alice.bot.apps["app"].request_write_access = True


@pytest.mark.parametrize(
    ("change", "questions"),
    [(change_hash, []), (close, [{"inactive_app"}]), (ask_write_access, [{"write_access"}])],
)
async def test_an_early_url_is_thrown_away_when_anything_changed(
    change: Any, questions: list[set[str]]
) -> None:
    async with account() as alice:
        await opened_before(alice)
        change(alice)
        asker = Asker()
        opened = await alice.open(APP, asker, speculate=True)
        assert alice.asked.count("messages.getBotApp") == 1
        assert alice.asked.count(REQUEST) == 2
        assert asker.questions == questions
        assert ("write_allowed" in alice.sent(REQUEST)) is (change is ask_write_access)
        assert isinstance(opened.app, DirectLinkApp)
        assert opened.app.app.hash == alice.bot.apps["app"].hash


async def test_a_declined_question_gives_no_early_url_away() -> None:
    async with account() as alice:
        await opened_before(alice)
        close(alice)
        await alice.refused(ConsentDeclined, APP, Consent(inactive_app="decline"), speculate=True)
        assert alice.asked.count(REQUEST) == 1


async def test_an_app_removed_meanwhile_is_not_found_and_forgotten() -> None:
    async with account() as alice:
        await opened_before(alice)
        del alice.bot.apps["app"]
        await alice.refused(AppNotFound, APP, speculate=True)
        assert sorted(alice.asked) == sorted(WARM)
        assert alice.cache.apps == {}


async def test_a_refused_early_request_is_made_again() -> None:
    async with account() as alice:
        await opened_before(alice)
        alice.sandbox.faults.on(REQUEST, Fail(400, "MSG_ID_INVALID"))
        await alice.open(APP, speculate=True)
        assert alice.asked.count(REQUEST) == 2


async def test_a_wrong_start_parameter_is_not_speculated_with() -> None:
    async with account() as alice:
        await opened_before(alice)
        await alice.refused(BadInput, APP + "?startapp=" + "x" * 513, speculate=True)
        assert alice.asked == []
