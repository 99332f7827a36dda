"""The kinds of links: each value, its reading and its spelling, next to one another.

`read…` is the rule of one kind: given the words of a link it answers with the value, or None
when the link is not of this kind. `spell` writes the value as an address of either scheme.
Which rule is asked when is said in `tdlib`.
"""

from dataclasses import dataclass, field
from typing import Literal

from flows.links.address import Address
from flows.links.rules import (
    NotALink,
    check_start_param,
    is_app_name,
    is_hash,
    is_int32,
    is_param,
    is_phone,
    is_username,
    is_utf8,
    leading_number,
)
from flows.open_mode import OpenMode

ChatType = Literal["users", "bots", "groups", "channels"]
Args = tuple[tuple[str, str], ...]

CHAT_TYPES: tuple[ChatType, ...] = ("users", "bots", "groups", "channels")
_BOTH = (
    "manage_chat change_info delete_messages restrict_members invite_users promote_members "
    "manage_video_chats post_stories edit_stories delete_stories"
)
GROUP_RIGHTS = frozenset(_BOTH.split()) | {
    "pin_messages",
    "manage_topics",
    "manage_tags",
    "anonymous",
}
CHANNEL_RIGHTS = frozenset(_BOTH.split()) | {
    "post_messages",
    "edit_messages",
    "manage_direct_messages",
}


# Small rules that several kinds share.


def _mode(address: Address) -> OpenMode:
    wish = address.get("mode")
    return OpenMode(wish) if wish in ("compact", "fullscreen") else OpenMode.FULLSIZE


def _mode_args(mode: OpenMode) -> Args:
    return () if mode is OpenMode.FULLSIZE else (("mode", mode.value),)


def _args(**values: str | int | None) -> Args:
    return tuple((name, str(value)) for name, value in values.items() if value is not None)


def _words(text: str) -> list[str]:
    return text.split(" ")  # in a link they are separated by "+"


def _at(username: str, tg: bool, args: Args, *path: str) -> Address:
    """An address that begins with a user name: `t.me/<username>` or `tg://resolve?domain=`."""
    if tg:
        return Address(True, ("resolve",), (("domain", username), *args))
    return Address(False, (username, *path), args)


# The kinds.


@dataclass(frozen=True, slots=True)
class DirectLink:
    """`t.me/<bot>/<app>` or `tg://resolve?domain=<bot>&appname=<app>`: a direct-link app.

    A start parameter is kept as the link has it, even when it breaks the rules (TDLib does
    the same); `check_start_param` it before sending. See core.telegram.org/api/links.
    """

    bot: str
    app: str
    start_param: str | None = None
    mode: OpenMode = OpenMode.FULLSIZE

    @staticmethod
    def read(bot: str, app: str, address: Address) -> "DirectLink | None":
        if not is_app_name(app):
            return None
        return DirectLink(bot, app, address.get("startapp") or None, _mode(address))

    def spell(self, tg: bool) -> Address:
        if self.start_param:
            check_start_param(self.start_param)
        wish = (*_args(startapp=self.start_param), *_mode_args(self.mode))
        if tg:
            return _at(self.bot, tg, (("appname", self.app), *wish))
        return _at(self.bot, tg, wish, self.app)


@dataclass(frozen=True, slots=True)
class MainAppLink:
    """`t.me/<bot>?startapp`: the bot's Main Mini App. Without one it is a link to the bot.

    See core.telegram.org/api/links (main-mini-app-links).
    """

    bot: str
    start_param: str | None = None
    mode: OpenMode = OpenMode.FULLSIZE

    @staticmethod
    def read(bot: str, param: str, address: Address) -> "MainAppLink | None":
        if not is_param(param) or (address.tg and address.has("appname")):
            return None
        return MainAppLink(bot, param or None, _mode(address))

    def spell(self, tg: bool) -> Address:
        param = check_start_param(self.start_param or "")
        return _at(self.bot, tg, (("startapp", param), *_mode_args(self.mode)))


@dataclass(frozen=True, slots=True)
class SideMenuLink:
    """What `t.me/<bot>?startapp` meant before Main Mini Apps: the bot's side-menu app.

    Only `readings` gives it, for "old documentation"; `parse` gives `MainAppLink`.
    """

    bot: str
    start_param: str | None = None
    mode: OpenMode = OpenMode.FULLSIZE


@dataclass(frozen=True, slots=True)
class AttachLink:
    """An attachment-menu app, in the chat where the link was opened or in the one it names.

    `chat` is a user name, or a phone number with its leading "+", or None: then it is the
    current chat, or, when `choose` is not empty, one of those types that the person picks.
    An invalid start parameter counts as none.
    See core.telegram.org/api/links (bot-attachment-or-side-menu-links).
    """

    bot: str
    start_param: str | None = None
    chat: str | None = None
    choose: frozenset[ChatType] = frozenset()

    @staticmethod
    def read_here(bot: str, param: str, address: Address) -> "AttachLink | None":
        if address.get("attach"):
            return None
        words = _words(address.get("choose"))
        choose = frozenset(kind for kind in CHAT_TYPES if kind in words)
        return AttachLink(bot, param if param and is_param(param) else None, choose=choose)

    @staticmethod
    def read_there(chat: str, bot: str, address: Address) -> "AttachLink | None":
        if not is_username(bot):
            return None
        param = address.get("startattach")
        return AttachLink(bot, param if param and is_param(param) else None, chat)

    def spell(self, tg: bool) -> Address:
        check_start_param(self.start_param or "")
        if self.chat is None:
            choose = " ".join(kind for kind in CHAT_TYPES if kind in self.choose) or None
            return _at(self.bot, tg, _args(startattach=self.start_param or "", choose=choose))
        wish = _args(attach=self.bot, startattach=self.start_param)
        if self.chat.startswith("+"):
            return _at_phone(self.chat, tg, wish)
        return _at(self.chat, tg, wish)


@dataclass(frozen=True, slots=True)
class PhoneLink:
    """`t.me/+<digits>`, `tg://resolve?phone=<digits>`: the user with this number.

    `phone` has a leading "+". See core.telegram.org/api/links (phone-number-links).
    """

    phone: str

    @staticmethod
    def read(digits: str, address: Address) -> "PhoneLink | AttachLink | None":
        if not is_phone(digits):
            return None
        attached = AttachLink.read_there(f"+{digits}", address.get("attach"), address)
        return attached or PhoneLink(f"+{digits}")

    def spell(self, tg: bool) -> Address:
        return _at_phone(self.phone, tg, ())


def _at_phone(phone: str, tg: bool, args: Args) -> Address:
    if tg:
        return Address(True, ("resolve",), (("phone", phone.removeprefix("+")), *args))
    return Address(False, (phone,), args)


@dataclass(frozen=True, slots=True)
class InviteLink:
    """`t.me/+<hash>`, `t.me/joinchat/<hash>`, `tg://join?invite=<hash>`: a chat to join.

    See core.telegram.org/api/links (chat-invite-links).
    """

    hash: str

    @staticmethod
    def read(hash: str) -> "InviteLink | None":
        return InviteLink(hash) if is_hash(hash) else None

    def spell(self, tg: bool) -> Address:
        if tg:
            return Address(True, ("join",), _args(invite=self.hash))
        return Address(False, (f"+{self.hash}",))


@dataclass(frozen=True, slots=True)
class UsernameLink:
    """`t.me/<username>`: a public chat, or a bot to start or to add to a chat.

    At most one of `start` (the parameter of /start), `startgroup` (the parameter with which
    the bot is added to a group) and `startchannel` is set; "" means present without a value.
    `admin` are the administrator rights the bot asks for when added. The draft text and the
    profile wish of such links are not kept.
    See core.telegram.org/api/links (public-username-links, bot-links).
    """

    username: str
    start: str | None = None
    startgroup: str | None = None
    startchannel: bool = False
    admin: frozenset[str] = frozenset()

    @staticmethod
    def read_start(bot: str, param: str, address: Address) -> "UsernameLink | OtherLink | None":
        if not is_param(param):
            return None
        if len(param) > len(_REFERRAL) and param.startswith(_REFERRAL):
            return OtherLink("ref")
        return UsernameLink(bot, start=param)

    @staticmethod
    def read_startgroup(bot: str, param: str, address: Address) -> "UsernameLink | None":
        if not is_param(param):
            return None
        return UsernameLink(bot, startgroup=param, admin=_rights(address, GROUP_RIGHTS))

    @staticmethod
    def read_startchannel(bot: str, _: str, address: Address) -> "UsernameLink | None":
        admin = _rights(address, CHANNEL_RIGHTS)
        return UsernameLink(bot, startchannel=True, admin=admin) if admin else None

    def spell(self, tg: bool) -> Address:
        check_start_param(self.start or self.startgroup or "", limit=64)
        wish = _args(
            start=self.start,
            startgroup=self.startgroup,
            startchannel="" if self.startchannel else None,
            admin=" ".join(sorted(self.admin)) or None,
        )
        return _at(self.username, tg, wish)


_REFERRAL = "_tgr_"  # a server-side setting, `starref_start_param_prefixes`; this is its default


def _rights(address: Address, known: frozenset[str]) -> frozenset[str]:
    return known.intersection(_words(address.get("admin")))


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A message of a public chat (`chat` is its user name) or of a private one (channel id).

    `thread` is the topic or the message whose comments are meant, `comment` the comment.
    See core.telegram.org/api/links (message-links).
    """

    chat: str | int
    message: int
    thread: int | None = None
    comment: int | None = None

    @staticmethod
    def read_path(chat: str | int, numbers: tuple[str, ...], address: Address) -> "MessageLink":
        """`t.me/<username>/[<thread>/]<message>`; the first number is known to be positive."""
        message, thread = str(leading_number(numbers[0])), address.get("thread")
        if len(numbers) > 1 and leading_number(numbers[1]) > 0:
            message, thread = str(leading_number(numbers[1])), message
        return MessageLink._checked(chat, message, thread, address.get("comment"))

    @staticmethod
    def read_tg(chat: str | int, address: Address) -> "MessageLink":
        numbers = [address.get(name) for name in ("post", "thread", "comment")]
        return MessageLink._checked(chat, *numbers)

    @staticmethod
    def read_private(address: Address) -> "MessageLink | None":
        """`tg://privatepost?channel=<id>&post=<message>`."""
        if not (address.get("channel") and address.get("post")):
            return None
        return MessageLink.read_tg(_channel_id(address.get("channel")), address)

    @staticmethod
    def _checked(chat: str | int, message: str, thread: str, comment: str) -> "MessageLink":
        comment = "" if comment == "0" else comment
        numbers = [_message_number(text) if text else None for text in (thread, comment)]
        return MessageLink(chat, _message_number(message), *numbers)

    def spell(self, tg: bool) -> Address:
        rest = _args(thread=self.thread, comment=self.comment)
        if isinstance(self.chat, str):
            if tg:
                return _at(self.chat, tg, (*_args(post=self.message), *rest))
            return _at(self.chat, tg, rest, str(self.message))
        if tg:
            ids = _args(channel=self.chat, post=self.message)
            return Address(True, ("privatepost",), (*ids, *rest))
        return Address(False, ("c", str(self.chat), str(self.message)), rest)


def _message_number(text: str) -> int:
    """TDLib looks at it in a second step only, when it asks for the message."""
    if not is_int32(text):
        raise NotALink("a message number is a whole number from 1 to 2147483647: correct it")
    return int(text)


def _channel_id(text: str) -> int:
    if not (len(text) <= 12 and text.isascii() and text.isdigit() and text[0] != "0"):
        raise NotALink("a channel id is a whole number of up to 12 digits: correct it")
    return int(text)


@dataclass(frozen=True, slots=True)
class InvoiceLink:
    """`t.me/$<slug>`, `t.me/invoice/<slug>`, `tg://invoice?slug=<slug>`: something to pay.

    See core.telegram.org/api/links (invoice-links).
    """

    slug: str

    @staticmethod
    def read(slug: str) -> "InvoiceLink | None":
        return InvoiceLink(slug) if slug and is_utf8(slug) else None

    def spell(self, tg: bool) -> Address:
        if tg:
            return Address(True, ("invoice",), _args(slug=self.slug))
        return Address(False, (f"${self.slug}",))


@dataclass(frozen=True, slots=True)
class GameLink:
    """`t.me/<bot>?game=<short_name>`: a game to share. See core.telegram.org/api/links."""

    bot: str
    short_name: str

    @staticmethod
    def read(bot: str, short_name: str, address: Address) -> "GameLink | None":
        return GameLink(bot, short_name) if is_app_name(short_name) else None

    def spell(self, tg: bool) -> Address:
        return _at(self.bot, tg, _args(game=self.short_name))


@dataclass(frozen=True, slots=True)
class OAuthLink:
    """`tg://oauth?token=…`, `tg://resolve?domain=oauth&startapp=…`: a request to log in.

    It has no https form: TDLib reads `t.me/oauth?startapp=…` as a bot named oauth.
    """

    token: str = field(repr=False)

    @staticmethod
    def read(token: str) -> "OAuthLink | None":
        return OAuthLink(token) if token else None

    def spell(self, tg: bool) -> Address:
        if tg:
            return Address(True, ("oauth",), _args(token=self.token))
        return _at("oauth", tg, _args(startapp=self.token))


@dataclass(frozen=True, slots=True)
class OtherLink:
    """A link to something else that Telegram knows: stickers, a proxy, a boost, settings, …

    `word` is the first word of its path, or the parameter that says what it is. Of what
    follows the word only the first look is taken: whether a proxy works is not asked here.
    """

    word: str


@dataclass(frozen=True, slots=True)
class UnknownTgLink:
    """A tg link whose first word, `word`, means nothing or whose parameters make no sense."""

    word: str


Link = (
    DirectLink
    | MainAppLink
    | SideMenuLink
    | AttachLink
    | PhoneLink
    | InviteLink
    | UsernameLink
    | MessageLink
    | InvoiceLink
    | GameLink
    | OAuthLink
    | OtherLink
    | UnknownTgLink
)
