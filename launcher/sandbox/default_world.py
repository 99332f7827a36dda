"""The world a sandbox starts with when it is given none: one of everything that opens a Mini App.

Four people, eight bots and five chats. Ids, phone numbers and tokens are the same in every run. `demo_bot`
can do everything, `metapro_demo_bot` has an app that logs in to Metapro; each of the other bots lacks or
adds one thing that a client has to cope with. Dora has never written to any of them, and nobody lets a bot
write to them yet, so that there is something to ask for. The addresses of the apps end in `.example`, which
no host can have.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from telethon.tl import types

from launcher.sandbox.keyboards import web_view_urls
from launcher.sandbox.world import (
    App,
    AttachMenu,
    Bot,
    Channel,
    Group,
    InlineAnswer,
    Invoice,
    InvoiceKind,
    MenuButton,
    Message,
    Topic,
    User,
    World,
)

__all__ = ["default_world"]

ALICE, BOB, CAROL, DORA = 1001, 1002, 5_000_001_003, 1004
DEMO_BOT, PLAIN_BOT, LINK_BOT, ATTACH_BOT = 7_000_002_001, 7_000_002_002, 7_000_002_003, 7_000_002_004
SIDE_BOT, RESTRICTED_BOT, GUARD_BOT = 7_000_002_005, 7_000_002_006, 7_000_002_007
METAPRO_BOT, METAPRO_BOT_NAME = 7_000_002_008, "metapro_demo_bot"
GROUP, FORUM, CHANNEL, GUARDED, CLUB = 3001, 4001, 4002, 4003, 4004

CUSTOM_EMOJI = (5_368_324_170_671_202_286, 5_368_324_170_671_202_287)

_PROVIDERS: dict[str, InvoiceKind] = {
    "123456789:TEST:pays": "test",
    "123456789:TEST:confirms": "verification",
    "123456789:TEST:declines": "declined",
    "123456789:LIVE:card": "card",
}

_FIRST_DAY = 1_767_225_600
"""All messages are from the first minutes of 2026."""


def default_world() -> World:
    """A new world, to be changed at will."""
    world = World()
    world.add(*_people(), *_bots(), *_chats())
    world.invoices.update({invoice.slug: invoice for invoice in _invoices()})
    world.providers.update(_PROVIDERS)
    world.custom_emoji.update(CUSTOM_EMOJI)
    world.app_config["web_app_allowed_protocols"] = ["http", "https"]
    minutes = count(_FIRST_DAY, 60)
    for person in (ALICE, BOB, CAROL):
        _talk_with_demo_bot(world, person, minutes)
        _tell(world, LINK_BOT, person, "An app behind a button", _button_of_a_link(), minutes)
    _tell(world, PLAIN_BOT, ALICE, "There is nothing to open here.", None, minutes)
    _write_in_chats(world, minutes)
    return world


def _people() -> Iterator[User]:
    """Alice comes first: she signs in with nothing but a code."""
    yield User(
        ALICE,
        "Alice",
        "9996621111",
        last_name="Liddell",
        username="alice",
        attach_menu={DEMO_BOT},
        stars=100,
    )
    yield User(BOB, "Bob", "9996622222", username="bob_builds", password="correct horse", language_code="de")
    yield User(CAROL, "Carol", "9996613333", last_name="Кароль", code="11111", dc=1)
    yield User(
        DORA,
        "Dora",
        "9996624444",
        username="dora",
        premium=True,
        stars=1000,
        photo_url="https://photos.example/dora.svg",
    )


def _bots() -> Iterator[Bot]:
    yield _demo_bot()
    yield Bot(PLAIN_BOT, "plain_bot", "Plain", _token(PLAIN_BOT, "plain"))
    link = "https://t.me/demo_bot/app?startapp=menu"
    yield Bot(
        LINK_BOT,
        "link_bot",
        "Links",
        _token(LINK_BOT, "link"),
        menu_button=MenuButton("Open", link),
        webview_buttons=web_view_urls(_button_of_a_link()),
    )
    yield Bot(
        ATTACH_BOT,
        "attach_bot",
        "Attach",
        _token(ATTACH_BOT, "attach"),
        attach_menu=AttachMenu(
            "Attach",
            "https://attach.example/pick",
            {"pm", "chat", "broadcast"},
            request_write_access=True,
        ),
    )
    side = AttachMenu(
        "Side",
        "https://side.example/home",
        in_attach_menu=False,
        in_side_menu=True,
        side_menu_disclaimer_needed=True,
    )
    yield Bot(SIDE_BOT, "side_bot", "Side", _token(SIDE_BOT, "side"), attach_menu=side)
    yield Bot(
        RESTRICTED_BOT,
        "restricted_bot",
        "Restricted",
        _token(RESTRICTED_BOT, "restricted"),
        main_app="https://restricted.example/main",
        restricted_for={ALICE, BOB, CAROL, DORA},
    )
    yield Bot(GUARD_BOT, "guard_bot", "Guard", _token(GUARD_BOT, "guard"), guard=True)
    yield _metapro_bot()


def _demo_bot() -> Bot:
    everywhere = AttachMenu(
        "Demo",
        "https://demo.example/attach",
        {"same_bot_pm", "bot_pm", "pm", "chat", "broadcast"},
        in_side_menu=True,
    )
    return Bot(
        DEMO_BOT,
        "demo_bot",
        "Demo",
        _token(DEMO_BOT, "demo"),
        menu_button=MenuButton("Menu", "https://demo.example/menu"),
        main_app="https://demo.example/main",
        apps={app.short_name: app for app in _apps()},
        attach_menu=everywhere,
        inline_placeholder="Search the demo",
        inline=InlineAnswer(
            articles={"greeting": "Hello from the demo", "farewell": "Goodbye from the demo"},
            switch_webview=MenuButton("Open the picker", "https://demo.example/picker"),
        ),
        has_settings=True,
        default_colors={
            "bg_color": "#ffffff",
            "bg_dark_color": "#101418",
            "header_color": "#f0f4f8",
            "header_dark_color": "#181c20",
        },
        webview_buttons=web_view_urls(_keyboard()) | web_view_urls(_inline_keyboard()),
        start_answer=Message(0, 0, DEMO_BOT, "Welcome. Open the app below.", markup=_inline_keyboard()),
    )


def _metapro_bot() -> Bot:
    """Its keyboard button and its inline mode open the app without telling it by whom."""
    key = types.KeyboardButton("Play", types.ButtonTypeSimpleWebView("https://metapro.example/key"))
    keyboard = types.ReplyKeyboardMarkup([types.KeyboardButtonRow([key])], resize=True)
    return Bot(
        METAPRO_BOT,
        METAPRO_BOT_NAME,
        "Metapro demo",
        _token(METAPRO_BOT, "metapro-demo"),
        menu_button=MenuButton("Play", "https://metapro.example/menu"),
        main_app="https://metapro.example/main",
        apps={"app": App("app", "The Metapro app", "https://metapro.example/app")},
        inline=InlineAnswer(switch_webview=MenuButton("Play", "https://metapro.example/inline")),
        inline_placeholder="Play",
        webview_buttons=web_view_urls(keyboard),
        start_answer=Message(0, 0, METAPRO_BOT, "Welcome. Press the key below.", markup=keyboard),
    )


def _apps() -> Iterator[App]:
    yield App("app", "The app", "https://demo.example/app", description="Opens at once.")
    yield App("closed", "The closed app", "https://demo.example/closed", active=False)
    yield App("notes", "Notes", "https://demo.example/notes", request_write_access=True)


def _chats() -> Iterator[Group | Channel]:
    yield Group(GROUP, "Demo group", {ALICE, BOB, DEMO_BOT})
    yield Channel(
        FORUM,
        "Demo forum",
        username="demo_forum",
        forum=True,
        members={ALICE, BOB, CAROL, DEMO_BOT},
        topics={1 + number: Topic(1 + number, title) for number, title in enumerate(_TOPICS, start=1)},
        send_as={CHANNEL},
    )
    yield Channel(
        CHANNEL, "Demo channel", username="demo_news", kind="channel", members={ALICE, BOB}, admins={ALICE}
    )
    yield Channel(
        GUARDED,
        "Guarded channel",
        username="demo_guarded",
        kind="channel",
        invite_hash="GuardedChannelInvite",
        guard_bot=GUARD_BOT,
        guard_url="https://guard.example/join",
        members={GUARD_BOT},
        admins={GUARD_BOT},
    )
    yield Channel(CLUB, "Private club", invite_hash="PrivateClubInvite", members={BOB})


def _invoices() -> Iterator[Invoice]:
    """One for each thing that can become of a payment, and one that wants to know an address."""
    yield Invoice("demo-coffee", DEMO_BOT, "Coffee", "EUR", 350, "test", "A cup of coffee")
    yield Invoice("demo-confirm", DEMO_BOT, "Cake", "EUR", 450, "verification", "To be confirmed")
    yield Invoice("demo-declined", DEMO_BOT, "Tea", "EUR", 250, "declined", "Always declined")
    yield Invoice("demo-card", DEMO_BOT, "Teapot", "EUR", 2500, "card", "For a real card")
    yield Invoice("demo-delivery", DEMO_BOT, "Box", "EUR", 900, "test", needs={"shipping_address"})
    yield Invoice("demo-stars", DEMO_BOT, "Sticker", "XTR", 25, "stars", "For Telegram Stars")


_TOPICS = ("Apps", "Gossip")


def _token(bot: int, name: str) -> str:
    """A token of the right form: the bot's id and 35 characters."""
    return f"{bot}:{f'sandbox-token-of-{name}-bot':0<35}"


def _talk_with_demo_bot(world: World, person: int, minutes: Iterator[int]) -> None:
    _tell(world, person, DEMO_BOT, "/start", None, minutes)
    _tell(world, DEMO_BOT, person, "Press a key", _keyboard(), minutes)
    _tell(world, DEMO_BOT, person, "Press a button", _inline_keyboard(), minutes)
    hidden = types.MessageEntityTextUrl(offset=0, length=4, url="https://t.me/demo_bot/app?startapp=hidden")
    _tell(world, DEMO_BOT, person, "Here is a link", None, minutes, [hidden])


def _write_in_chats(world: World, minutes: Iterator[int]) -> None:
    for member in (ALICE, BOB, DEMO_BOT):
        text = "Open the app: https://t.me/demo_bot/app?startapp=group"
        world.boxes[member].add(Message(0, GROUP, DEMO_BOT, text, next(minutes), markup=_link_buttons()))
    forum = world.boxes[FORUM]
    forum.add(Message(0, FORUM, ALICE, "Welcome to the forum", next(minutes)))
    for title in _TOPICS:
        opened = types.MessageActionTopicCreate(title=title, icon_color=0x6FB9F0)
        forum.add(Message(0, FORUM, ALICE, "", next(minutes), action=opened))
    forum.add(Message(0, FORUM, BOB, "Which app do you use?", next(minutes), topic=2))
    world.boxes[CHANNEL].add(Message(0, CHANNEL, CHANNEL, "Hello, subscribers", next(minutes)))


def _tell(
    world: World,
    sender: int,
    receiver: int,
    text: str,
    markup: Any,
    minutes: Iterator[int],
    entities: list[Any] | None = None,
) -> None:
    """A private message, as it lies in the boxes of both."""
    date = next(minutes)
    for owner, chat in ((sender, receiver), (receiver, sender)):
        world.boxes[owner].add(Message(0, chat, sender, text, date, list(entities or ()), markup))


def _keyboard() -> Any:
    app = types.KeyboardButton("Order", types.ButtonTypeSimpleWebView("https://demo.example/order"))
    plain = types.KeyboardButton("Help", types.ButtonTypeDefault())
    return types.ReplyKeyboardMarkup([types.KeyboardButtonRow([app, plain])], resize=True)


def _inline_keyboard() -> Any:
    app = types.KeyboardInlineButton("Open", types.InlineButtonTypeWebView("https://demo.example/button"))
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([app])])


def _button_of_a_link() -> Any:
    """A web-view button whose address is the link of an app: clients open that app in its stead."""
    link = types.InlineButtonTypeWebView("https://t.me/demo_bot/app?startapp=inside")
    return types.ReplyInlineMarkup(
        [types.KeyboardInlineButtonRow([types.KeyboardInlineButton("Open", link)])]
    )


def _link_buttons() -> Any:
    """Buttons that hold links: one to a Mini App, one to a page of the web."""
    app = types.KeyboardInlineButton(
        "Open", types.InlineButtonTypeUrl("https://t.me/demo_bot/app?startapp=button")
    )
    page = types.KeyboardInlineButton("Site", types.InlineButtonTypeUrl("https://demo.example/"))
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([app, page])])
