"""From what the caller names to the app that is meant.

A target is a link, a bot, a message, or an app that was found before. A link that the person did not see
(behind a text link, a button or a QR code, or one that a page opened) is a `HiddenLink`: its dialog is
always shown. A button or menu URL that is itself a Mini App link is opened as that link, as TDLib and
Telegram Desktop do.
Documentation: core.telegram.org/api/links, core.telegram.org/api/bots/webapps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from telethon import TelegramClient, events
from telethon.tl import functions, types
from telethon.tl.custom import Message

from flows import links
from flows.attachment_menu import AttachmentMenuApp
from flows.bots import find_bot, find_bot_by_id
from flows.buttons import Button, ButtonKind, Wanted, buttons_of, links_of, pick
from flows.cache import Bot, Cache
from flows.chat_join import ChatJoinApp
from flows.context import Context, topic_reply
from flows.direct_link import DirectLinkApp
from flows.errors import BadInput, CannotOpen, answers, call
from flows.inline_button import InlineButtonApp
from flows.inline_mode import InlineModeApp
from flows.installation import find_entry
from flows.keyboard_button import KeyboardButtonApp
from flows.main_app import MainApp
from flows.menu_button import MenuButtonApp
from flows.open_mode import OpenMode
from flows.peers import input_peer
from flows.side_menu import SideMenuApp

__all__ = [
    "FLOWS", "App", "HiddenLink", "Options", "Target", "acts_at_once", "agreeing", "chat_named",
    "direct_link", "resolve", "starts_bot",
]  # fmt: skip

App: TypeAlias = (
    KeyboardButtonApp
    | InlineButtonApp
    | MenuButtonApp
    | AttachmentMenuApp
    | SideMenuApp
    | InlineModeApp
    | DirectLinkApp
    | MainApp
    | ChatJoinApp
)
FLOWS: dict[str, type[App]] = {
    app.flow: app
    for app in (
        KeyboardButtonApp, InlineButtonApp, MenuButtonApp, AttachmentMenuApp, SideMenuApp,
        InlineModeApp, DirectLinkApp, MainApp, ChatJoinApp,
    )
}  # fmt: skip
"""Every flow by its name."""

_CARRY_PLACE = ("inline_button", "menu_button", "attachment_menu")
_CARRY_START_PARAM = ("attachment_menu", "side_menu", "direct_link", "main_app")
_BUTTON_FLOWS = ("keyboard_button", "inline_button")
_NEEDED = {
    "main_app": "has_main_app",
    "attachment_menu": "attach_menu",
    "side_menu": "attach_menu",
    "inline_mode": "inline",
}
"""The field of `Bot` without which it does not offer a flow."""
_APP_LINKS = (links.DirectLink, links.MainAppLink, links.AttachLink)
_LINKED: dict[type, tuple[str, ...]] = {
    links.DirectLink: ("direct_link",),
    links.MainAppLink: ("main_app", "side_menu"),
    links.AttachLink: ("attachment_menu",),
    links.InviteLink: ("chat_join",),
}
"""The flows that a link may be opened by; other links say only whom or what they mean."""
_OPENABLE = "Give t.me/bot/app, t.me/bot?startapp, t.me/bot?startattach, an invite link, or @bot with via=."


@dataclass(frozen=True, slots=True)
class HiddenLink:
    """A link whose target was not in sight when it was pressed: it always asks before it opens."""

    url: str = field(repr=False)


Target: TypeAlias = "str | HiddenLink | Message | App"


@dataclass(slots=True)
class Options:
    """What may be said beside the target.

    `via` names the flow when a bot has several; `chat` is where it is opened (name, id or InputPeer), also
    when a link names another one; `button` is a text or position; `topic` a forum topic's id; `reply_to` a
    message id; `send_as` a peer; `start` is sent to the bot first; `query` is inline mode's; `start_wait` is
    how long to wait for the bot's button, in seconds.

    Raises BadInput for a flow there is not, a start parameter of wrong form, and what the flow named cannot
    carry.
    """

    via: str | None = None
    chat: Any = None
    button: Wanted | None = None
    topic: int | None = None
    reply_to: int | None = None
    send_as: Any = None
    silent: bool | None = None
    start: str | None = None
    start_param: str | None = None
    query: str = ""
    start_wait: float = 30.0

    def __post_init__(self) -> None:
        if self.via is not None and self.via not in FLOWS:
            raise BadInput(f"There is no flow {self.via!r}.", f"Use one of {', '.join(FLOWS)}.")
        _check(self.start_param, 512, "start_param")
        _check(self.start, 64, "start")
        if self.via is not None:
            _may_carry(FLOWS[self.via], self)


@dataclass(slots=True)
class _Search:
    """One resolution under way: who searches, what for, what is remembered."""

    client: TelegramClient
    options: Options
    cache: Cache

    async def context(self, peer: Any) -> Context:
        options = self.options
        send_as = await input_peer(self.client, options.send_as) if options.send_as is not None else None
        reply_to = topic_reply(options.topic, options.reply_to)
        return Context(peer, reply_to, send_as, True if options.silent else None)

    async def chat(self) -> Any:
        """The chat the caller named, or None."""
        return None if self.options.chat is None else await input_peer(self.client, self.options.chat)

    async def chat_or(self, bot: Bot) -> Any:
        return await self.chat() or bot.input_peer


async def resolve(
    client: TelegramClient, target: Target, options: Options, cache: Cache
) -> tuple[App, OpenMode | None]:
    """The app that is meant, ready to be agreed to and requested, and the mode its link asks for, if any.

    Raises BadInput for a target or option that cannot be, CannotOpen for what the bot does not offer, and
    RpcFailed for what Telegram refuses.
    """
    search = _Search(client, options, cache)
    mode = None
    match target:
        case str() if _is_name(target):
            app, mode = await _of_bot(search, target)
        case str():
            app, mode = await _of_link(search, _agreeing(_typed(target), options), hidden=False)
        case HiddenLink():
            app, mode = await _of_link(search, _agreeing(_parsed(target.url), options), hidden=True)
        case Message():
            app, mode = await _of_message(search, target)
        case _:
            app = _complete(target, options)
    _may_carry(type(app), options)
    return app, mode


def _complete(target: Any, options: Options) -> App:
    """The target if it is an app value: nothing is left to say beside it."""
    if type(target) not in FLOWS.values():
        raise BadInput(
            f"A {type(target).__name__} cannot be opened.", "Give a link, @bot, a message or an app value."
        )
    if options != Options():
        raise BadInput("An app value is complete: options cannot change it.", "Change the value itself.")
    app: App = target
    return app


def _is_name(target: str) -> bool:
    return target.startswith("@") or target.replace("_", "").isalnum()


# A link


def _parsed(text: str) -> links.Link:
    try:
        return links.parse(text)
    except links.NotALink as reason:
        raise BadInput(
            f"This is not a link to Telegram: {reason}.", "Give a t.me or tg:// link, or @bot."
        ) from None


@lru_cache(maxsize=1024)
def _typed(text: str) -> links.Link:
    """A link as the caller wrote it. Clients drop a start parameter of wrong form without a word
    (core.telegram.org/api/links); somebody who typed it wants to be told."""
    link = _parsed(text)
    given = parse_qs(text.partition("#")[0].partition("?")[2])
    for name in ("startapp", "startattach"):
        _check(given.get(name, [None])[0], 512, f"The link's {name}")
    return link


def _agreeing(link: links.Link, options: Options) -> links.Link:
    """The link, if it can be opened by the flow that the caller names. Raises BadInput."""
    possible = _LINKED.get(type(link), ())
    if options.via is not None and possible and options.via not in possible:
        raise BadInput(
            f"The link opens a {possible[0].replace('_', ' ')}, not {options.via}.", "Leave out via=."
        )
    return link


def agreeing(target: str, options: Options) -> None:
    """Raises BadInput for a link or @bot that cannot be opened with these options, or not at all, as far as
    that shows before Telegram is asked."""
    if _is_name(target):
        if options.via == "direct_link":
            raise _no_direct_link(target)
        return
    link = _agreeing(_typed(target), options)
    possible = _LINKED.get(type(link))
    if possible is not None:
        _one_start_param(getattr(link, "start_param", None), options)
        _may_carry(FLOWS[options.via or possible[0]], options)
    elif not isinstance(link, links.UsernameLink | links.MessageLink):
        raise _opens_nothing(link)


def _opens_nothing(link: links.Link) -> BadInput:
    kind = type(link).__name__.removesuffix("Link").lower()
    return BadInput(f"This is a link of kind {kind}: it opens no Mini App.", _OPENABLE)


def _no_direct_link(bot: str) -> BadInput:
    return BadInput(
        f"@{bot.removeprefix('@')} alone does not name a direct link.", "Give the link itself: t.me/bot/app."
    )


def _meant(target: Target) -> links.Link | None:
    """The link that a target is, or None: for a look at it before anything is done."""
    text = target.url if isinstance(target, HiddenLink) else target
    if not isinstance(text, str) or _is_name(text):
        return None
    return _parsed(text)


def direct_link(target: Target, options: Options) -> links.DirectLink | None:
    """The direct link that the caller typed, with the start parameter that counts; None for all else."""
    link = None if isinstance(target, HiddenLink) else _meant(target)
    if not isinstance(link, links.DirectLink):
        return None
    return replace(link, start_param=_one_start_param(link.start_param, options))


def acts_at_once(target: Target) -> bool:
    """Whether a link's target was not in sight and following it does something before the app is known: a
    chat is joined, a bot is started, a message is fetched."""
    return isinstance(target, HiddenLink) and not isinstance(_meant(target), _APP_LINKS)


def starts_bot(target: Target, options: Options) -> bool:
    """Whether resolving starts the bot, which writes a message to it."""
    link = _meant(target)
    return options.start is not None or (isinstance(link, links.UsernameLink) and link.start is not None)


def chat_named(target: Target, options: Options) -> str | None:
    """The user name of the chat to open in, if it is named by one."""
    link = _meant(target)
    linked = link.chat if isinstance(link, links.AttachLink) else None
    chat = linked if options.chat is None else options.chat
    return chat.removeprefix("@") if isinstance(chat, str) and _is_name(chat) else None


async def _of_link(search: _Search, link: links.Link, *, hidden: bool) -> tuple[App, OpenMode | None]:
    options, cache, client = search.options, search.cache, search.client
    match link:
        case links.OAuthLink() | links.MainAppLink(bot="oauth"):
            # Whatever its form says (core.telegram.org/api/url-authorization).
            raise BadInput("This link is a request to log in: it opens no Mini App.", _OPENABLE)
        case links.DirectLink():
            param = _one_start_param(link.start_param, options)
            bot = await find_bot(client, link.bot, cache)
            peer = await search.chat()
            return await DirectLinkApp.find(client, bot, link.app, cache, peer, param, hidden), link.mode
        case links.MainAppLink() if options.via == "side_menu":
            param = _one_start_param(link.start_param, options)
            bot = await find_bot(client, link.bot, cache, "attach_menu")
            return await SideMenuApp.find(client, bot, cache, param, hidden), None
        case links.MainAppLink():
            param = _one_start_param(link.start_param, options)
            bot = await find_bot(client, link.bot, cache, "has_main_app")
            return MainApp.find(bot, await search.chat(), param, hidden), link.mode
        case links.AttachLink():
            return await _of_attach_link(search, link, hidden), None
        case links.InviteLink():
            _may_carry(ChatJoinApp, options)  # before the chat is asked to let us in
            return await ChatJoinApp.find(client, cache, invite=link.hash), None
        case links.UsernameLink():
            start = link.start if options.start is None else options.start
            return await _of_bot(replace(search, options=replace(options, start=start)), link.username)
        case links.MessageLink():
            return await _of_message_link(search, link)
    raise _opens_nothing(link)


async def _of_attach_link(search: _Search, link: links.AttachLink, hidden: bool) -> App:
    client, cache = search.client, search.cache
    param = _one_start_param(link.start_param, search.options)
    bot = await find_bot(client, link.bot, cache, "attach_menu")
    chat = link.chat if search.options.chat is None else search.options.chat
    context = await search.context(bot.input_peer if chat is None else await input_peer(client, chat))
    return await AttachmentMenuApp.find(client, bot, context, cache, param, link.choose, hidden)


async def _of_message_link(search: _Search, link: links.MessageLink) -> tuple[App, OpenMode | None]:
    chat = link.chat if isinstance(link.chat, str) else types.PeerChannel(link.chat)
    peer = await input_peer(search.client, chat)
    with answers("messages.getMessages"):
        message = await search.client.get_messages(peer, ids=link.message)
    if message is None:
        raise CannotOpen(f"There is no message {link.message} in that chat.", "Check the link.")
    return await _of_message(search, message)


def _one_start_param(of_link: str | None, options: Options) -> str | None:
    _check(of_link, 512, "The link's start parameter")
    if of_link and options.start_param and of_link != options.start_param:
        raise BadInput("The link holds another start parameter than start_param.", "Give only one of them.")
    return options.start_param or of_link or None


# A bot by name


async def _of_bot(search: _Search, name: str) -> tuple[App, OpenMode | None]:
    client, cache, options = search.client, search.cache, search.options
    if options.via == "chat_join":
        return await ChatJoinApp.find(client, cache, channel=await input_peer(client, name)), None
    bot = await find_bot(client, name, cache, _NEEDED.get(options.via or ""))
    if options.via in _BUTTON_FLOWS or options.button is not None or options.start is not None:
        return await _of_message(search, await _message_with_button(search, bot), bot)
    via = options.via or await _only_flow(search, bot)
    if via == "menu_button":
        return await _of_menu_button(search, bot)
    return await _of_flow(search, bot, via), None


async def _of_flow(search: _Search, bot: Bot, via: str) -> App:
    client, cache, options = search.client, search.cache, search.options
    match via:
        case "attachment_menu":
            context = await search.context(await search.chat_or(bot))
            return await AttachmentMenuApp.find(client, bot, context, cache, options.start_param)
        case "side_menu":
            return await SideMenuApp.find(client, bot, cache, options.start_param)
        case "inline_mode":
            context = await search.context(await search.chat_or(bot))
            return await InlineModeApp.find(client, bot, context, options.query)
        case "main_app":
            return MainApp.find(bot, await search.chat(), options.start_param)
    raise _no_direct_link(bot.username)


async def _of_menu_button(search: _Search, bot: Bot) -> tuple[App, OpenMode | None]:
    try:
        app = await MenuButtonApp.find(search.client, bot, await search.context(bot.input_peer), search.cache)
    except CannotOpen:
        if search.options.via is None:
            raise CannotOpen.nothing_in_sight(f"@{bot.username}") from None
        raise
    link = _mini_app_link(app.url)
    if link is None:
        return app, None
    return await _of_link(search, link, hidden=True)


async def _only_flow(search: _Search, bot: Bot) -> str:
    """The flow a bare bot name means, if it can mean one only. The menu button is not known beforehand, nor
    in which of the two menus an entry is."""
    offered = [flow for flow in ("main_app", "attachment_menu", "inline_mode") if getattr(bot, _NEEDED[flow])]
    match offered:
        case []:
            return "menu_button"
        case ["attachment_menu"]:
            entry = await find_entry(search.client, bot, search.cache)
            aside = entry.show_in_side_menu and not entry.show_in_attach_menu
            return "side_menu" if aside else "attachment_menu"
        case [only]:
            return only
    ways = ", ".join(offered).replace("attachment_menu", "attachment_menu or side_menu")
    raise BadInput(
        f"@{bot.username} offers several ways: {ways}, perhaps a menu button.",
        "Name one with via=.",
    )


# A message and its button


async def _of_message(
    search: _Search, message: Message, bot: Bot | None = None
) -> tuple[App, OpenMode | None]:
    options = search.options
    button = _app_button(message, options.button)
    if button is None:
        return await _of_text_link(search, message)
    if (link := _mini_app_link(button.url)) is not None:
        return await _of_link(_in_chat(search, message), link, hidden=True)
    sender = message.via_bot_id or message.sender_id
    bot = bot or await find_bot_by_id(search.client, sender, search.cache)
    peer = await _chat_of(search, message, bot)
    if button.kind is ButtonKind.KEYBOARD_APP:
        return KeyboardButtonApp.find(bot, button, peer), None
    return InlineButtonApp.find(bot, button, await search.context(peer)), None


async def _chat_of(search: _Search, message: Message, bot: Bot) -> Any:
    """Where the app is opened: the chat the caller named, else the one the message is in."""
    if search.options.chat is None and getattr(message.peer_id, "user_id", None) == bot.id:
        return bot.input_peer
    return await search.chat() or await input_peer(search.client, message.peer_id)


async def _of_text_link(search: _Search, message: Message) -> tuple[App, OpenMode | None]:
    found = {link: text for text, url in links_of(message) if (link := _mini_app_link(url)) is not None}
    if len(found) > 1:
        texts = _quoted(found.values())
        raise BadInput(f"Several text links open an app: {texts}.", "Give the one meant as HiddenLink(url).")
    if not found:
        texts = _quoted(button.text for button in buttons_of(message))
        raise CannotOpen(
            f"Nothing in the message opens a Mini App; its buttons: {texts}.",
            "Give another message, a link, or @bot with via=.",
        )
    (link,) = found
    return await _of_link(_in_chat(search, message), link, hidden=True)


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(map(repr, texts)) or "none"


def _in_chat(search: _Search, message: Message) -> _Search:
    """The same search in the chat of the click, unless the caller named another."""
    if search.options.chat is not None:
        return search
    return replace(search, options=replace(search.options, chat=message.peer_id))


def _app_button(message: Message, wanted: Wanted | None) -> Button | None:
    """The wanted button; without a wish the only one that opens an app, or None if there is none."""
    buttons = buttons_of(message)
    if wanted is not None:
        return pick(buttons, wanted)
    opening = [button for button in buttons if _opens_app(button)]
    if len(opening) > 1:
        texts = _quoted(button.text for button in opening)
        raise BadInput(f"Several buttons open an app: {texts}.", "Name one with button=.")
    return opening[0] if opening else None


def _opens_app(button: Button) -> bool:
    if button.kind in (ButtonKind.KEYBOARD_APP, ButtonKind.INLINE_APP):
        return True
    return button.kind is ButtonKind.LINK and _mini_app_link(button.url) is not None


@lru_cache(maxsize=1024)
def _mini_app_link(url: str) -> links.Link | None:
    """The link that a button's URL is, if it is one that opens a Mini App."""
    try:
        link = links.parse(url)
    except links.NotALink:
        return None
    return link if isinstance(link, _APP_LINKS) else None


# The message that holds the button


async def _message_with_button(search: _Search, bot: Bot) -> Message:
    suits = _suits(search.options)
    if search.options.start is not None:
        return await _start(search, bot, suits)
    peer, seen = await search.chat_or(bot), list[str]()
    with answers("messages.getHistory"):
        async for message in search.client.iter_messages(peer, limit=100, reply_to=search.options.topic):
            if message.sender_id == bot.id:
                if suits(message):
                    return message
                seen += [button.text for button in buttons_of(message)]
    wanted = "such a button" if search.options.button is None else f"the button {search.options.button!r}"
    raise CannotOpen(
        f"None of the last 100 messages there is one of @{bot.username} with {wanted}.",
        f"Its buttons there are {', '.join(map(repr, dict.fromkeys(seen))) or 'none'}; give the message "
        'itself, or start="payload" to make the bot send one.',
    )


def _suits(options: Options) -> Callable[[Message], bool]:
    kinds = {"keyboard_button": ButtonKind.KEYBOARD_APP, "inline_button": ButtonKind.INLINE_APP}
    kind = kinds.get(options.via or "")

    def suits(message: Message) -> bool:
        buttons = buttons_of(message)
        if options.button is not None:
            try:
                buttons = [pick(buttons, options.button)]
            except CannotOpen:
                return False
        return any(_opens_app(button) and kind in (None, button.kind) for button in buttons)

    return suits


async def _start(search: _Search, bot: Bot, suits: Callable[[Message], bool]) -> Message:
    """Start the bot with a payload and wait for its message with the button."""
    client, options = search.client, search.options
    arrived: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def watch(event: events.NewMessage.Event) -> None:
        if event.sender_id == bot.id and suits(event.message) and not arrived.done():
            arrived.set_result(event.message)

    client.add_event_handler(watch, events.NewMessage(incoming=True))
    try:
        peer = await search.chat_or(bot)
        await call(client, _start_request(bot, peer, options.start or ""))
        async with asyncio.timeout(options.start_wait):
            return await arrived
    except TimeoutError:
        raise CannotOpen(
            f"@{bot.username} sent no such button within {options.start_wait:g} s of being started.",
            "Check the payload and that the bot is running.",
        ) from None
    finally:
        client.remove_event_handler(watch)


def _start_request(bot: Bot, peer: Any, payload: str) -> Any:
    """Without a payload, which `messages.startBot` wants, the client just writes /start."""
    if not payload:
        return functions.messages.SendMessageRequest(peer, "/start")
    return functions.messages.StartBotRequest(bot.input_user, peer, payload)


# Start parameters


def _check(value: str | None, limit: int, name: str) -> None:
    if value is None:
        return
    try:
        links.check_start_param(value, limit)
    except links.StartParamError as error:
        raise BadInput(f"{name}: {error}.", "Shorten it or encode it as base64url.") from None


def _place(options: Options) -> str | None:
    """The name of an option that says where the bot's answer goes, if one is given.

    With `button`, a topic also says where the button is looked for, so it is no mistake.
    """
    if options.topic and options.button is None:
        return "topic"
    if options.reply_to:
        return "reply_to"
    if options.send_as:
        return "send_as"
    return "silent" if options.silent else None


def _may_carry(app: type[App], options: Options) -> None:
    """Refuse what the flow's method would silently drop: a start parameter, the place of the bot's answer."""
    placed = None if app.flow in _CARRY_PLACE else _place(options)
    if placed:
        raise BadInput(
            f"{app.method} cannot carry {placed}=: no message comes of a {app.flow.replace('_', ' ')}.",
            "Leave it out; messages.requestWebView has it (inline button, menu button, attachment menu).",
        )
    if options.start_param and app.flow not in _CARRY_START_PARAM:
        raise BadInput(
            f"{app.method} cannot carry a start parameter for a {app.flow.replace('_', ' ')}.",
            "Use a direct link (messages.requestAppWebView), the Main Mini App (messages.requestMainWebView) "
            'or an attachment-menu link; to send a payload to the bot itself, use start="...".',
        )
