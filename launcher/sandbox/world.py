"""The world behind the wire, as plain data that a test may edit at any time.

Every user, bot, group and channel has one id that is unique among all of them, so `world[id]` finds any.
Nothing here speaks TL but for keyboards, message entities and service actions: they are Telethon's types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = [
    "App", "AttachMenu", "Bot", "Box", "Channel", "EmojiStatus", "Group", "InlineAnswer", "Invoice",
    "InvoiceKind", "MenuButton", "Message", "Peer", "PeerType", "Topic", "User", "World",
]  # fmt: skip

InvoiceKind = Literal["test", "verification", "card", "declined", "stars"]
PeerType = Literal["same_bot_pm", "bot_pm", "pm", "chat", "broadcast"]


@dataclass
class EmojiStatus:
    """A custom emoji beside a name; `until` is a time of the world's clock, None for ever."""

    document_id: int
    until: int | None = None


@dataclass
class User:
    """A person: how they sign in, and what init data says of them.

    `phone` is digits without a plus sign. `password` is the two-step password, or None. `dc` is the data
    centre the account lives on. `blocked` holds ids of the bots and users this person has blocked,
    `writes_allowed` ids of the bots that may write to them. With `premium_only` they take messages from
    Premium users only; `deleted` accounts cannot be written to.
    """

    id: int
    first_name: str
    phone: str
    last_name: str | None = None
    username: str | None = None
    code: str = "22222"
    password: str | None = field(default=None, repr=False)
    dc: int = 2
    language_code: str = "en"
    premium: bool = False
    banned: bool = False
    deleted: bool = False
    premium_only: bool = False
    photo_url: str | None = None
    blocked: set[int] = field(default_factory=set)
    writes_allowed: set[int] = field(default_factory=set)
    attach_menu: set[int] = field(default_factory=set)
    """Bots installed in this person's attachment or side menu."""
    emoji_status: EmojiStatus | None = None
    emoji_status_bots: set[int] = field(default_factory=set)
    """Bots that may change this person's emoji status."""
    stars: int = 0
    cloud_storage: dict[int, dict[str, str]] = field(default_factory=dict)
    """What Mini Apps keep for this person on the servers, by bot."""


@dataclass
class MenuButton:
    text: str
    url: str


@dataclass
class App:
    """A direct-link app: `t.me/<bot>/<short_name>`. Changing `hash` tells clients to fetch it anew."""

    short_name: str
    title: str
    url: str
    id: int = 0
    hash: int = 1
    description: str = ""
    active: bool = True
    """False: everybody is asked before opening it for the first time."""
    request_write_access: bool = False
    opened_by: set[int] = field(default_factory=set)
    """Ids of the users who have opened it; for them it is active."""


@dataclass
class AttachMenu:
    """What a bot offers for the attachment menu and the side menu, and where it may be used."""

    short_name: str
    url: str
    peer_types: set[PeerType] = field(default_factory=lambda: {"same_bot_pm"})
    in_attach_menu: bool = True
    in_side_menu: bool = False
    request_write_access: bool = False
    side_menu_disclaimer_needed: bool = False


@dataclass
class Invoice:
    """What an invoice link leads to: `t.me/$<slug>`.

    `amount` is in the smallest units of the currency, "XTR" for Telegram Stars. The kind says what
    becomes of paying it: a `test` provider takes any test card at once; `verification` wants the payer to
    confirm it on a page first; `card` is a live provider, which takes the tokens of its own page only;
    `declined` always fails; `stars` is paid from the balance. `needs` names details the payer has to
    give, as the fields of TL's `invoice` do without their `_requested`: name, phone, email,
    shipping_address.
    """

    slug: str
    bot: int
    title: str
    currency: str
    amount: int
    kind: InvoiceKind = "test"
    description: str = ""
    payload: bytes = b"order"
    needs: set[str] = field(default_factory=set)


@dataclass
class InlineAnswer:
    """What an inline bot answers by itself to every query: articles (id → text), a web-view button."""

    articles: dict[str, str] = field(default_factory=dict)
    switch_webview: MenuButton | None = None


@dataclass
class Bot:
    """A bot and all it offers.

    `fullsize`, `fullscreen` and `same_origin` are the flags its web views come back with; a request's
    `compact` or `fullscreen` wish is honoured over `fullsize`. `default_colors` are BotFather's four
    colours (`bg_color`, `bg_dark_color`, `header_color`, `header_dark_color`). `restricted_for` holds ids
    of users who may not use it.
    """

    id: int
    username: str
    first_name: str
    token: str = field(repr=False)
    dc: int = 2
    menu_button: MenuButton | None = None
    menu_buttons: dict[int, MenuButton | None] = field(default_factory=dict)
    """Menu buttons set for single users, by user id; they go before `menu_button`."""
    main_app: str | None = None
    apps: dict[str, App] = field(default_factory=dict)
    attach_menu: AttachMenu | None = None
    inline_placeholder: str | None = None
    inline: InlineAnswer | None = None
    """None: a connected client of the bot is asked."""
    webview_buttons: set[str] = field(default_factory=set)
    """URLs issued with buttons to clients; others are refused with URL_INVALID."""
    verified: bool = False
    deleted: bool = False
    guard: bool = False
    """Whether it may decide who joins a channel (`Channel.guard_bot`)."""
    has_settings: bool = False
    fullsize: bool = True
    fullscreen: bool = False
    same_origin: bool = False
    default_colors: dict[str, str] | None = None
    restricted_for: set[int] = field(default_factory=set)
    last_name: str | None = None
    photo_url: str | None = None
    start_answer: Message | None = None
    """What the bot posts by itself when somebody starts it and no client of the bot is connected."""

    def menu_button_of(self, user: int) -> MenuButton | None:
        """The menu button this user sees, or None."""
        return self.menu_buttons.get(user, self.menu_button)


@dataclass
class Group:
    """A basic group."""

    id: int
    title: str
    members: set[int] = field(default_factory=set)
    photo_url: str | None = None


@dataclass
class Topic:
    """A topic of a forum; its id is the id of the message that opened it."""

    id: int
    title: str


@dataclass
class Channel:
    """A channel or supergroup, perhaps a forum, perhaps guarded by a bot that decides who joins."""

    id: int
    title: str
    username: str | None = None
    kind: Literal["channel", "supergroup"] = "supergroup"
    members: set[int] = field(default_factory=set)
    admins: set[int] = field(default_factory=set)
    forum: bool = False
    topics: dict[int, Topic] = field(default_factory=dict)
    slow_mode: int = 0
    send_as: set[int] = field(default_factory=set)
    """Ids of peers that members may send as, besides themselves."""
    invite_hash: str | None = None
    guard_bot: int | None = None
    guard_url: str | None = None
    """The app a guard shows when no client of the bot answers the join request."""
    requests: set[int] = field(default_factory=set)
    """Users whose join request is queued."""
    photo_url: str | None = None


Peer: TypeAlias = User | Bot | Group | Channel


@dataclass
class Message:
    """A message as it lies in one box. `chat` is the id of the dialog as the box's owner sees it."""

    id: int
    chat: int
    sender: int
    text: str
    date: int = 0
    entities: list[Any] = field(default_factory=list)
    markup: Any = None
    media: Any = None
    action: Any = None
    reply_to: int | None = None
    topic: int | None = None
    via_bot: int | None = None
    silent: bool = False


@dataclass
class Box:
    """Numbered messages and the update log of one owner: a user or bot (private chats and basic groups share
    it) or a channel. `log` holds (pts after the event, message id), oldest first."""

    pts: int = 1
    messages: dict[int, Message] = field(default_factory=dict)
    log: list[tuple[int, int]] = field(default_factory=list)

    def add(self, message: Message) -> Message:
        """Number the message, keep it and log it; returns it with its id."""
        message.id = max(self.messages, default=0) + 1
        self.messages[message.id] = message
        self.pts += 1
        self.log.append((self.pts, message.id))
        return message


class World:
    """All peers by id, all boxes by owner, and what Mini Apps may ask for besides.

    `invoices` are found by slug; `providers` are payment providers by the token a bot has for one, with
    what becomes of its invoices. `custom_emoji` holds the documents there are for emoji statuses,
    `app_config` what help.getAppConfig answers, as JSON values.
    """

    def __init__(self) -> None:
        self.peers: dict[int, Peer] = {}
        self.boxes: dict[int, Box] = {}
        self.invoices: dict[str, Invoice] = {}
        self.providers: dict[str, InvoiceKind] = {}
        self.custom_emoji: set[int] = set()
        self.app_config: dict[str, Any] = {}

    def add(self, *peers: Peer) -> None:
        """Put peers into the world. Raises ValueError for an id or user name that is taken."""
        for peer in peers:
            name = getattr(peer, "username", None)
            if peer.id in self.peers or (name and self.by_username(name)):
                raise ValueError(f"id {peer.id} or user name {name!r} is taken: choose another")
            self.peers[peer.id] = peer
            self.boxes[peer.id] = Box()

    def __getitem__(self, peer_id: int) -> Peer:
        return self.peers[peer_id]

    def get(self, peer_id: int) -> Peer | None:
        return self.peers.get(peer_id)

    def by_username(self, username: str) -> User | Bot | Channel | None:
        wanted = username.lower()
        for peer in self.peers.values():
            if not isinstance(peer, Group) and (peer.username or "").lower() == wanted != "":
                return peer
        return None

    def user(self, key: str | int) -> User:
        """A user by id, first name (any case), user name or phone number. Raises KeyError."""
        text = str(key).lower().lstrip("@+")
        for user in self.users():
            if text in (
                str(user.id),
                user.first_name.lower(),
                (user.username or "").lower(),
                user.phone,
            ):
                return user
        raise KeyError(f"no user {key!r} in this world; there are: {[u.first_name for u in self.users()]}")

    def bot(self, key: str | int) -> Bot:
        """A bot by id, user name or token. Raises KeyError."""
        text = str(key).lower().lstrip("@")
        for bot in self.bots():
            if text in (str(bot.id), bot.username.lower(), bot.token.lower()):
                return bot
        raise KeyError("no such bot in this world")

    def users(self) -> Iterator[User]:
        return (peer for peer in self.peers.values() if isinstance(peer, User))

    def bots(self) -> Iterator[Bot]:
        return (peer for peer in self.peers.values() if isinstance(peer, Bot))
