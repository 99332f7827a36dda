"""Inline buttons over the wire, and links that stand where a button's address should be."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from flows import (
    BadInput,
    CannotOpen,
    Consent,
    ConsentDeclined,
    DirectLinkApp,
    InlineButtonApp,
    MainApp,
    prolong,
)
from launcher.sandbox.default_world import DEMO_BOT, GROUP
from tests.opened import Account, Asker, account

REQUEST = "messages.requestWebView"


def inline(*rows: list[tuple[str, Any]]) -> Any:
    buttons = [[types.KeyboardInlineButton(*button) for button in row] for row in rows]
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow(row) for row in buttons])


async def with_markup(alice: Account, markup: Any) -> Any:
    """The message "Press a button", with other buttons below it."""
    message = await alice.message()
    alice.sandbox.world.boxes[alice.id].messages[message.id].markup = markup
    return await alice.message()


WEB_VIEW = types.InlineButtonTypeWebView("https://demo.example/button")
PAGE = types.InlineButtonTypeUrl("https://demo.example/")
LINK = types.InlineButtonTypeUrl("https://t.me/demo_bot/app?startapp=deep&mode=compact")


async def test_the_button_of_a_message_opens_with_a_query() -> None:
    async with account() as alice:
        opened = await alice.open(await alice.message())
        assert isinstance(opened.app, InlineButtonApp)
        assert opened.web_view.query_id is not None
        assert opened.web_view.init_data is not None
        sent = alice.sent(REQUEST)
        assert set(sent) == {"peer", "bot", "url", "platform"}
        assert sent["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))


async def test_it_is_prolonged_with_the_context_it_was_opened_with() -> None:
    async with account() as alice:
        message = await alice.message()
        opened = await alice.open(message, silent=True, reply_to=message.id, send_as="me")
        query_id = opened.web_view.query_id
        assert query_id is not None
        await prolong(alice.client, opened.app.bot, opened.app.context, query_id)
        prolonged, requested = alice.sent("messages.prolongWebView"), alice.sent(REQUEST)
        assert prolonged.pop("query_id") == query_id
        del requested["url"], requested["platform"]
        assert prolonged == requested
        assert set(prolonged) == {"bot", "peer", "silent", "reply_to", "send_as"}


async def test_a_prolong_repeats_nothing_that_was_absent() -> None:
    async with account() as alice:
        opened = await alice.open(await alice.message())
        await prolong(alice.client, opened.app.bot, opened.app.context, opened.web_view.query_id or 0)
        assert set(alice.sent("messages.prolongWebView")) == {"bot", "peer", "query_id"}


async def test_buttons_are_found_by_text_place_or_row_and_column() -> None:
    markup = inline([("Site", PAGE)], [("Other", types.InlineButtonTypeCallback(b"x")), ("Open", WEB_VIEW)])
    async with account() as alice:
        message = await with_markup(alice, markup)
        for wanted in (None, "Open", 2, (1, 1)):
            opened = await alice.open(message, button=wanted)
            assert isinstance(opened.app, InlineButtonApp)
        for wanted in ("Site", 0, (0, 0), "Other", 1, (1, 0)):
            assert "opens no Mini App" in (await alice.refused(CannotOpen, message, button=wanted)).meaning
        error = await alice.refused(CannotOpen, message, button="Missing")
        assert "'Site', 'Other', 'Open'" in error.remedy


async def test_several_apps_have_to_be_told_apart() -> None:
    async with account() as alice:
        message = await with_markup(alice, inline([("Open", WEB_VIEW), ("Go", LINK), ("Site", PAGE)]))
        error = await alice.refused(BadInput, message)
        assert "'Open', 'Go'" in error.meaning
        assert "button=" in error.remedy


async def test_a_button_that_is_a_link_is_opened_as_that_link() -> None:
    async with account() as alice:
        message = await with_markup(alice, inline([("Go", LINK)]))
        asker = Asker()
        opened = await alice.open(message, asker)
        assert isinstance(opened.app, DirectLinkApp)
        assert asker.questions == [{"first_launch", "hidden_link"}]
        sent = alice.sent("messages.requestAppWebView")
        assert (sent["start_param"], sent["compact"]) == ("deep", True)
        assert REQUEST not in alice.asked


async def test_a_web_view_button_that_holds_a_link_is_opened_as_that_link_too() -> None:
    async with account() as alice:
        message = await alice.message("link_bot", "An app behind a button")
        assert (await alice.refused(ConsentDeclined, message)).question == "hidden_link"
        opened = await alice.open(message, Consent("hidden_link"))
        assert isinstance(opened.app, DirectLinkApp)
        assert opened.app.start_param == "inside"
        assert opened.app.bot.username == "demo_bot"
        assert REQUEST not in alice.asked


async def test_a_link_to_a_main_app_keeps_the_chat_of_the_click() -> None:
    main = types.InlineButtonTypeUrl("https://t.me/demo_bot?startapp=m&mode=fullscreen")
    async with account() as alice:
        message = await with_markup(alice, inline([("Main", main)]))
        assert (await alice.refused(ConsentDeclined, message)).question == "hidden_link"
        opened = await alice.open(message, Consent("hidden_link"))
        assert isinstance(opened.app, MainApp)
        sent = alice.sent("messages.requestMainWebView")
        assert (sent["start_param"], sent["fullscreen"]) == ("m", True)
        assert sent["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))


async def test_a_bot_and_a_button_find_the_message() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", button="Open")
        assert isinstance(opened.app, InlineButtonApp)
        opened = await alice.open("@link_bot", Consent("hidden_link"), button="Open")
        assert isinstance(opened.app, DirectLinkApp)
        error = await alice.refused(CannotOpen, "@plain_bot", via="inline_button")
        assert "last 100 messages" in error.meaning
        await alice.refused(CannotOpen, "@demo_bot", button="Missing")
        await alice.refused(CannotOpen, "@link_bot", via="keyboard_button")


async def test_a_button_of_a_group_opens_there() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", Consent("hidden_link"), chat=-GROUP, button="Open")
        assert isinstance(opened.app, DirectLinkApp)
        assert alice.sent("messages.requestAppWebView")["peer"] == types.InputPeerChat(GROUP)


# Links in the text of a message


async def with_entities(alice: Account, text: str, *entities: Any) -> Any:
    message = await alice.message(text="Here is a link")
    stored = alice.sandbox.world.boxes[alice.id].messages[message.id]
    stored.text, stored.entities = text, list(entities)
    return await alice.message(text=text)


async def test_a_text_link_is_hidden() -> None:
    async with account() as alice:
        message = await alice.message(text="Here is a link")
        assert (await alice.refused(ConsentDeclined, message)).question == "hidden_link"
        opened = await alice.open(message, Consent("hidden_link"))
        assert isinstance(opened.app, DirectLinkApp)
        assert opened.app.start_param == "hidden"
        assert alice.sent("messages.requestAppWebView")["peer"].user_id == DEMO_BOT


async def test_a_link_in_the_text_asks_as_well() -> None:
    text = "😀 t.me/demo_bot/app?startapp=seen"
    async with account() as alice:
        entity = types.MessageEntityUrl(offset=3, length=len(text) - 2)
        message = await with_entities(alice, text, entity, types.MessageEntityBold(0, 2))
        asker = Asker()
        opened = await alice.open(message, asker)
        assert isinstance(opened.app, DirectLinkApp)
        assert opened.app.start_param == "seen"
        assert asker.questions == [{"first_launch", "hidden_link"}]


async def test_several_text_links_are_listed_by_their_texts() -> None:
    links = [
        types.MessageEntityTextUrl(0, 3, "https://t.me/demo_bot/app"),
        types.MessageEntityTextUrl(4, 3, "https://t.me/demo_bot/notes"),
        types.MessageEntityTextUrl(8, 3, "https://demo.example/"),
    ]
    async with account() as alice:
        message = await with_entities(alice, "one two six", *links)
        error = await alice.refused(BadInput, message)
        assert "'one', 'two'." in error.meaning
        assert "https" not in str(error)


async def test_a_message_that_opens_nothing_lists_its_buttons() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, await with_markup(alice, inline([("Site", PAGE)])))
        assert "'Site'" in error.meaning
        error = await alice.refused(CannotOpen, await alice.message("plain_bot", "nothing to open"))
        assert "none" in error.meaning
