"""The world of the sandbox as data, and the one it starts with."""

import re

import pytest
from telethon.tl import types

from launcher.sandbox.default_world import ALICE, BOB, DEMO_BOT, DORA, FORUM, GUARDED, default_world
from launcher.sandbox.keyboards import buttons, check_keyboard, web_view_urls
from launcher.sandbox.rpc import RpcError
from launcher.sandbox.world import Bot, Box, Channel, Group, MenuButton, Message, User, World


def test_peers_are_found_by_what_people_know() -> None:
    world = default_world()
    assert world.user("alice").id == world.user("ALICE").id == world.user("+9996621111").id == ALICE
    assert world.user(str(BOB)).first_name == "Bob"
    assert world.bot("@Demo_Bot").id == DEMO_BOT
    assert world.bot(world.bot("demo_bot").token).id == DEMO_BOT
    assert isinstance(world.by_username("demo_forum"), Channel)
    assert world.by_username("") is None
    with pytest.raises(KeyError, match="Alice"):
        world.user("nobody")
    with pytest.raises(KeyError):
        world.bot("nobody")


def test_ids_and_names_are_taken_once() -> None:
    world = default_world()
    with pytest.raises(ValueError, match="taken"):
        world.add(User(ALICE, "Again", "1"))
    with pytest.raises(ValueError, match="taken"):
        world.add(Bot(1, "DEMO_BOT", "Again", "1:token"))


def test_a_box_numbers_and_logs_its_messages() -> None:
    box = Box()
    first, second = box.add(Message(0, 1, 1, "a")), box.add(Message(0, 1, 1, "b"))
    assert (first.id, second.id, box.pts) == (1, 2, 3)
    assert box.log == [(2, 1), (3, 2)]


def test_a_menu_button_of_one_user() -> None:
    bot = Bot(1, "some_bot", "Some", "1:token", menu_button=MenuButton("All", "https://some.example"))
    bot.menu_buttons[7] = None
    assert bot.menu_button_of(7) is None
    assert bot.menu_button_of(8) == bot.menu_button


def test_secrets_stay_out_of_reprs() -> None:
    world = default_world()
    assert world.bot(DEMO_BOT).token not in repr(world.bot(DEMO_BOT))
    assert "correct horse" not in repr(world.user("bob"))


def test_every_default_world_is_its_own() -> None:
    first = default_world()
    first.user(ALICE).blocked.add(DEMO_BOT)
    first.bot(DEMO_BOT).apps.clear()
    second = default_world()
    assert second.user(ALICE).blocked == set()
    assert set(second.bot(DEMO_BOT).apps) == {"app", "closed", "notes"}


def test_people_sign_in_in_different_ways() -> None:
    people = list(default_world().users())
    assert people[0].id == ALICE
    assert people[0].password is None
    assert all(re.fullmatch(r"9996[67]\d{5}", person.phone) for person in people)
    assert {person.dc for person in people} == {1, 2}
    assert any(person.password for person in people)
    assert any(person.premium for person in people)


def test_tokens_have_the_form_of_real_ones() -> None:
    for bot in default_world().bots():
        assert re.fullmatch(rf"{bot.id}:[A-Za-z0-9_-]{{35}}", bot.token)


def test_the_private_chat_holds_every_kind_of_button() -> None:
    world = default_world()
    kinds = {
        type(button.type)
        for message in world.boxes[ALICE].messages.values()
        for button in buttons(message.markup)
    }
    assert {types.ButtonTypeSimpleWebView, types.InlineButtonTypeWebView} <= kinds
    assert world.boxes[DORA].messages == {}


def test_both_sides_of_a_private_chat_have_it() -> None:
    world = default_world()
    alices = [m.text for m in world.boxes[ALICE].messages.values() if m.chat == DEMO_BOT]
    bots = [m.text for m in world.boxes[DEMO_BOT].messages.values() if m.chat == ALICE]
    assert alices == bots != []


def test_every_button_was_issued() -> None:
    world = default_world()
    for person in world.users():
        for message in world.boxes[person.id].messages.values():
            sender = world[message.sender]
            if isinstance(sender, Bot):
                assert web_view_urls(message.markup) <= sender.webview_buttons


def test_topics_are_the_messages_that_opened_them() -> None:
    world = default_world()
    forum = world[FORUM]
    assert isinstance(forum, Channel)
    opened = {
        number: message.action.title
        for number, message in world.boxes[FORUM].messages.items()
        if isinstance(message.action, types.MessageActionTopicCreate)
    }
    assert opened == {topic.id: topic.title for topic in forum.topics.values()}
    assert any(message.topic in forum.topics for message in world.boxes[FORUM].messages.values())


def test_the_guarded_channel_has_a_name_an_invite_and_a_guard() -> None:
    guarded = default_world()[GUARDED]
    assert isinstance(guarded, Channel)
    assert guarded.username
    assert guarded.invite_hash
    assert guarded.guard_bot


def test_no_app_is_on_a_real_host() -> None:
    for bot in default_world().bots():
        menu = bot.attach_menu
        urls = {app.url for app in bot.apps.values()} | ({menu.url} if menu else set())
        urls |= {url for url in bot.webview_buttons if not url.startswith("https://t.me/")}
        assert all(re.match(r"https://[a-z]+\.example/", url) for url in urls)


def test_dialogs_of_basic_groups_lie_in_every_members_box() -> None:
    world = default_world()
    for group in (peer for peer in world.peers.values() if isinstance(peer, Group)):
        for member in group.members:
            assert any(message.chat == group.id for message in world.boxes[member].messages.values())


def test_a_keyboard_without_buttons() -> None:
    assert list(buttons(types.ReplyKeyboardHide())) == []
    assert web_view_urls(None) == set()
    check_keyboard(None, private=False)


def test_a_web_app_button_needs_https() -> None:
    button = types.KeyboardButton("Open", types.ButtonTypeSimpleWebView("https://"))
    markup = types.ReplyKeyboardMarkup([types.KeyboardButtonRow([button])])
    with pytest.raises(RpcError, match="BUTTON_URL_INVALID"):
        check_keyboard(markup, private=True)


def test_an_empty_world_has_nobody() -> None:
    assert list(World().users()) == []
    assert list(World().bots()) == []
