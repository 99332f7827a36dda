"""A saved launch as a sandbox: the same bot, app and answers, for whoever wants to make that launch again.

    async with replayed(saved) as sandbox:
        async with Launcher(Settings(server="sandbox"), sandbox=sandbox) as launcher:
            inspection = await inspect_link(launcher, link_of(saved))

The world holds what the file says and nothing else: one person, one bot, the app where its flow looks for it.
What Telegram refused is refused again. Signatures are made anew, with the sandbox's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from telethon.tl import types

from flows import BadInput
from launcher.bridge.wire import clean
from launcher.masks import MASK
from launcher.report.address import address
from launcher.report.saved import SavedLaunch
from launcher.sandbox import Sandbox
from launcher.sandbox.faults import Fail
from launcher.sandbox.keyboards import web_view_urls
from launcher.sandbox.world import (
    App,
    AttachMenu,
    Bot,
    Channel,
    InlineAnswer,
    MenuButton,
    Message,
    PeerType,
    User,
    World,
)

__all__ = ["link_of", "replayed"]

_PHONE = "9996600001"
_NOWHERE = "https://not-recorded.example/"
"""The address of an app that was there, but was not opened."""
_INVITE = "RecordedInvite"


def replayed(saved: SavedLaunch, *, port: int = 0) -> Sandbox:
    """A sandbox, not yet entered. Raises BadInput for a launch that came to no bot and was not refused by
    Telegram, and for one whose names contradict each other: nothing can be made of these."""
    refusal = _mapping(saved.failure.model_extra) if saved.failure is not None else {}
    method, name = _text(refusal.get("method")), _text(refusal.get("name"))
    if saved.bot is None and not (method and name):
        raise BadInput("This launch came to no bot: there is nothing to replay.", "Replay another one.")
    try:
        sandbox = Sandbox(_world(saved), port=port)
    except ValueError as error:
        raise BadInput(f"The saved launch makes no world: {error}.", "Save the launch anew.") from None
    if method and name:
        sandbox.faults.on(method, Fail(_number(refusal.get("code"), 400), name), times=None)
    return sandbox


def link_of(saved: SavedLaunch) -> str:
    """The target by which the launch is made again: its own, or that of the sandbox's invite link."""
    return f"https://t.me/+{_INVITE}" if _by_invite(saved) else saved.target


def _by_invite(saved: SavedLaunch) -> bool:
    return saved.link is not None and saved.link.get("kind") == "InviteLink"


def _world(saved: SavedLaunch) -> World:
    world = World()
    person = _person(saved)
    world.add(person)
    if saved.bot is not None:
        bot = _bot(saved)
        world.add(bot)
        _place(saved, world, bot, person)
        if (other := _other(saved)) is not None and world.get(other.id) is None:
            world.add(other)
    return world


def _person(saved: SavedLaunch) -> User:
    """Who opened the app, as far as its page was told; else somebody."""
    said = _mapping((saved.init_data or {}).get("user"))
    bot = _number((saved.bot or {}).get("id"), 0)
    return User(
        _number(said.get("id"), 1001),
        _text(said.get("first_name"), "Somebody"),
        _PHONE,
        last_name=_text(said.get("last_name")) or None,
        username=_text(said.get("username")) or None,
        language_code=_text(said.get("language_code"), "en"),
        premium=said.get("is_premium") is True,
        photo_url=_text(said.get("photo_url")) or None,
        writes_allowed={bot} if said.get("allows_write_to_pm") is True else set(),
        attach_menu={bot} if _has_menu(saved, said) else set(),
    )


def _has_menu(saved: SavedLaunch, said: Mapping[str, Any]) -> bool:
    """Whether this person has installed the bot's menu entry: the page is told, or the client knows."""
    known = (saved.bot or {}).get("attach_menu_enabled")
    return said.get("added_to_attachment_menu") is True or known is True


def _bot(saved: SavedLaunch) -> Bot:
    known, params, answer = saved.bot or {}, saved.launch_params or {}, saved.answer or {}
    receiver = _mapping((saved.init_data or {}).get("receiver"))
    number, name = _number(known.get("id"), 7_000_000_001), _text(known.get("username"), "recorded_bot")
    mode = saved.parameters.get("mode")
    inline = known.get("inline") is True or params.get("bot_inline") is True
    return Bot(
        number,
        name,
        _text(receiver.get("first_name"), name) if receiver.get("id") == number else name,
        f"{number}:{'recorded':0<35}",
        main_app=_NOWHERE if known.get("has_main_app") is True else None,
        menu_button=_menu_button(known.get("menu_button")),
        attach_menu=AttachMenu(name, _NOWHERE) if known.get("attach_menu") is True else None,
        inline_placeholder="" if inline else None,
        inline=InlineAnswer() if inline else None,
        verified=known.get("verified") is True,
        guard=(saved.app or {}).get("flow") == "chat_join",
        has_settings=params.get("show_settings") is True or (saved.app or {}).get("has_settings") is True,
        fullsize=answer.get("fullsize") is True or mode == "compact",
        fullscreen=answer.get("fullscreen") is True and mode != "fullscreen",
        same_origin=answer.get("same_origin") is True,
        default_colors=_colours(params.get("default_colors")),
        restricted_for={_person(saved).id} if known.get("restricted") is True else set(),
    )


def _menu_button(value: Any) -> MenuButton | None:
    said = _mapping(value)
    url = _text(said.get("url"))
    return MenuButton(_text(said.get("text"), "Open"), url) if url else None


def _place(saved: SavedLaunch, world: World, bot: Bot, person: User) -> None:
    """Put the app where its flow finds it."""
    app = saved.app or {}
    url = _text(app.get("url")) or address(_text((saved.answer or {}).get("url"))) or _NOWHERE
    match app.get("flow"):
        case "main_app":
            bot.main_app = url
        case "menu_button":
            bot.menu_button = MenuButton("Open", url)
        case "attachment_menu" | "side_menu":
            bot.attach_menu = _menu_entry(_mapping(app.get("entry")), url)
            person.attach_menu.add(bot.id)
        case "keyboard_button":
            text = _text(app.get("button_text"), "Open")
            _give(world, bot, person, _keyboard(text, url))
        case "inline_button":
            _give(world, bot, person, _inline_keyboard(_text(saved.options.get("button"), "Open"), url))
        case "inline_mode":
            button = MenuButton(_text(app.get("button_text"), "Open"), url)
            bot.inline_placeholder, bot.inline = "", InlineAnswer(switch_webview=button)
        case "chat_join":
            world.add(_guarded(saved, bot, url))
        case _:  # a direct link's app, or one that was offered and not opened
            _place_named(saved, bot, app, url)


def _place_named(saved: SavedLaunch, bot: Bot, app: Mapping[str, Any], url: str) -> None:
    app = {**app, **_mapping(app.get("app"))}  # of one that was not opened Telegram's answer is kept
    name = _text(app.get("short_name")) or _text((saved.link or {}).get("app"))
    if not app or not name:
        return
    bot.apps[name] = App(
        name,
        _text(app.get("title"), name),
        url,
        id=_number(app.get("id"), 0),
        hash=_number(app.get("hash"), 1),
        description=_text(app.get("description")),
        active=app.get("inactive") is not True,
        request_write_access=app.get("request_write_access") is True,
    )


def _menu_entry(entry: Mapping[str, Any], url: str) -> AttachMenu:
    kinds = entry.get("peer_types")
    known = [kind for kind in get_args(PeerType) if isinstance(kinds, list) and kind in kinds]
    return AttachMenu(
        _text(entry.get("short_name"), "Open"),
        url,
        set(known),
        in_attach_menu=entry.get("show_in_attach_menu") is True,
        in_side_menu=entry.get("show_in_side_menu") is True,
        request_write_access=entry.get("request_write_access") is True,
        side_menu_disclaimer_needed=entry.get("side_menu_disclaimer_needed") is True,
    )


def _give(world: World, bot: Bot, person: User, markup: Any) -> None:
    """A message of the bot with this keyboard, now and whenever it is started."""
    bot.webview_buttons |= web_view_urls(markup)
    bot.start_answer = Message(0, 0, bot.id, "Recorded", markup=markup)
    for owner, chat in ((bot.id, person.id), (person.id, bot.id)):
        world.boxes[owner].add(Message(0, chat, bot.id, "Recorded", markup=markup))


def _keyboard(text: str, url: str) -> Any:
    button = types.KeyboardButton(text, types.ButtonTypeSimpleWebView(url))
    return types.ReplyKeyboardMarkup([types.KeyboardButtonRow([button])], resize=True)


def _inline_keyboard(text: str, url: str) -> Any:
    button = types.KeyboardInlineButton(text, types.InlineButtonTypeWebView(url))
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])


def _guarded(saved: SavedLaunch, bot: Bot, url: str) -> Channel:
    name = _text((saved.link or {}).get("username")) or None
    return Channel(
        4_000_000_001,
        "Recorded chat",
        username=name,
        kind="channel",
        members={bot.id},
        admins={bot.id},
        invite_hash=_INVITE,
        guard_bot=bot.id,
        guard_url=url,
    )


def _other(saved: SavedLaunch) -> User | Bot | None:
    """The chat partner that an app in the attachment menu was told of."""
    said = _mapping((saved.init_data or {}).get("receiver"))
    if not said:
        return None
    number, first = _number(said.get("id"), 1002), _text(said.get("first_name"), "Somebody else")
    last, name = _text(said.get("last_name")), _text(said.get("username"))
    if said.get("is_bot") is True:
        return Bot(number, name or "another_bot", first, f"{number}:{'another':0<35}", last_name=last or None)
    return User(number, first, "9996600002", last_name=last or None, username=name or None)


# What a file says may be anything


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any, default: str = "") -> str:
    return clean(value) if isinstance(value, str) and value != MASK else default


def _number(value: Any, default: int) -> int:
    usable = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if usable else default


def _colours(value: Any) -> dict[str, str] | None:
    colours = {name: colour for name, colour in _mapping(value).items() if isinstance(colour, str)}
    return colours or None
