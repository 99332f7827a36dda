"""TDLib's reading of a link, which kind it is, and the spelling that reads back the same.

When a link names several things, an app name in the path wins; otherwise the first parameter
that is understood decides, in the order of the link. What TDLib calls one of its many other
kinds is an `OtherLink` here. Source: TDLib's `LinkManager`; core.telegram.org/api/links.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from flows.links.address import Address, take_apart
from flows.links.kinds import (
    AttachLink,
    DirectLink,
    GameLink,
    InviteLink,
    InvoiceLink,
    Link,
    MainAppLink,
    MessageLink,
    OAuthLink,
    OtherLink,
    PhoneLink,
    SideMenuLink,
    UnknownTgLink,
    UsernameLink,
)
from flows.links.rules import NotALink, is_int32, is_param, is_story, is_username, leading_number

# Reading. A rule answers None when the link is not of its kind.


@lru_cache(maxsize=1024)
def parse(text: str) -> Link:
    """Read a link as TDLib does. `SideMenuLink` is never the answer.

    Raises `NotALink` for a text that is no Telegram link, with what to write instead.
    """
    address = take_apart(text)
    return _read_tg(address) if address.tg else _read_https(address)


def _read_https(address: Address) -> Link:
    first = address.path[0] if address.path else ""
    if not first:
        raise NotALink("the link names nobody: write t.me/<bot>")
    if first in _HTTPS_WORDS:
        link = _HTTPS_WORDS[first](address)
    elif first[0] in " +":
        link = PhoneLink.read(first[1:], address) or InviteLink.read(first[1:])
    elif first[0] == "$":
        link = InvoiceLink.read(first[1:])
    else:
        link = _read_username(address)
    if link is None:
        raise NotALink("nothing at Telegram has this address: check the name after t.me/")
    return link


def _read_username(address: Address) -> Link | None:
    username, *steps = address.path
    if not is_username(username) or username == "i":
        return None
    if username == "newbot" and _is_managed_bot(steps):
        return OtherLink("newbot")
    if steps and leading_number(steps[0]) > 0:
        return MessageLink.read_path(username, tuple(steps), address)
    if username.lower() == "boost" and _is_boost(steps, address):
        return OtherLink("boost")
    if len(steps) == 2 and _is_story_or_album(*steps):
        return OtherLink(_STEP_WORDS[steps[0]])
    if len(steps) == 1 and (link := DirectLink.read(username, steps[0], address)):
        return link
    return _read_parameters(username, address) or UsernameLink(username)


def _read_parameters(username: str, address: Address) -> Link | None:
    """The first parameter that is understood decides."""
    rules = _TG_PARAMETERS if address.tg else _HTTPS_PARAMETERS
    for name, value in address.args:
        if name in rules and (link := rules[name](username, value, address)):
            return link
    return None


def _read_tg(address: Address) -> Link:
    word = address.path[0]
    rule = _TG_WORDS.get(word)
    exact = word in _TG_FAMILIES or len(address.path) == 1
    link = rule(address) if rule and exact else None
    return link or UnknownTgLink(word)


def _read_resolve(address: Address) -> Link | None:
    username = address.get("domain")
    if not is_username(username):
        return PhoneLink.read(address.get("phone").removeprefix(" "), address)
    if address.get("post"):
        return MessageLink.read_tg(username, address)
    if username == "oauth" and (request := OAuthLink.read(address.get("startapp"))):
        return request
    if link := _read_parameters(username, address):
        return link
    passport = username == "telegrampassport" and _is_passport(address)
    return OtherLink("passport") if passport else UsernameLink(username)


def _read_c(address: Address) -> Link | None:
    numbers = [leading_number(step) for step in address.path[1:3]]
    if len(numbers) == 2 and min(numbers) > 0:
        return MessageLink.read_path(numbers[0], address.path[2:], address)
    return OtherLink("boost") if numbers and numbers[0] > 0 and address.has("boost") else None


def _read_joinchat(address: Address) -> Link | None:
    return InviteLink.read("".join(address.path[1:2]))


def _read_invoice(address: Address) -> Link | None:
    return InvoiceLink.read(address.get("slug") if address.tg else "".join(address.path[1:2]))


def _other_word(address: Address) -> Link:
    return OtherLink(address.path[0])


def _is_passport(address: Address) -> bool:
    """The older spelling of a request for Telegram Passport data."""
    asked = address.get("scope") and address.get("public_key")
    nonce = address.get("nonce") or address.get("payload")
    return 0 < leading_number(address.get("bot_id")) < 2**40 and bool(asked and nonce)


def _is_managed_bot(steps: list[str]) -> bool:
    """`t.me/newbot/<manager>[/<suggested name>]`."""
    if not steps or not is_username(steps[0]):
        return False
    return len(steps) == 1 or not steps[1] or is_username(steps[1])


def _is_boost(steps: list[str], address: Address) -> bool:
    """`t.me/boost/<username>` or `t.me/boost?c=<channel id>`."""
    if steps:
        return len(steps) == 1 and is_username(steps[0])
    return leading_number(address.get("c")) > 0


def _is_story_or_album(step: str, number: str) -> bool:
    return step in _STEP_WORDS and (is_story(number) if step == "s" else is_int32(number))


# What each word and each parameter means. The order of the tables says nothing.

_Rule = Callable[[str, str, Address], Link | None]
_WordRule = Callable[[Address], Link | None]


def _other_parameter(word: str, valid: Callable[[str], bool]) -> _Rule:
    return lambda username, value, address: OtherLink(word) if valid(value) else None


_STEP_WORDS = {"s": "story", "c": "collection", "a": "album"}

_PARAMETERS: Mapping[str, _Rule] = {
    "videochat": _other_parameter("videochat", is_param),
    "voicechat": _other_parameter("videochat", is_param),
    "livestream": _other_parameter("videochat", is_param),
    "ref": _other_parameter("ref", lambda value: bool(value) and is_param(value)),
    "direct": _other_parameter("direct", lambda value: True),
    "start": UsernameLink.read_start,
    "startgroup": UsernameLink.read_startgroup,
    "startchannel": UsernameLink.read_startchannel,
    "startapp": MainAppLink.read,
    "game": GameLink.read,
    "attach": AttachLink.read_there,
    "startattach": AttachLink.read_here,
}
_HTTPS_PARAMETERS: Mapping[str, _Rule] = {
    **_PARAMETERS,
    "boost": _other_parameter("boost", lambda value: True),
}
_TG_PARAMETERS: Mapping[str, _Rule] = {
    **_PARAMETERS,
    "appname": DirectLink.read,
    "story": _other_parameter("story", is_story),
    "collection": _other_parameter("collection", is_int32),
    "album": _other_parameter("album", is_int32),
}

_OTHER_HTTPS = (
    "login addlist call auction nft contact addstickers addemoji setlanguage addstyle "
    "addtheme confirmphone socks proxy bg giftcode m share msg iv"
)
_OTHER_TG = (
    "nft contact login restore_purchases passport premium_offer premium_multigift addlist "
    "call addstickers addemoji setlanguage addstyle addtheme confirmphone socks proxy boost "
    "bg giftcode message share msg msg_url stars_topup stargift_auction newbot"
)
_TG_FAMILIES = ("contacts", "chats", "new", "post", "settings", "stars", "ton", "grams")

_HTTPS_WORDS: Mapping[str, _WordRule] = {
    **dict.fromkeys(_OTHER_HTTPS.split(), _other_word),
    "c": _read_c,
    "joinchat": _read_joinchat,
    "invoice": _read_invoice,
}
_TG_WORDS: Mapping[str, _WordRule] = {
    **dict.fromkeys(_OTHER_TG.split(), _other_word),
    **dict.fromkeys(_TG_FAMILIES, _other_word),
    "resolve": _read_resolve,
    "join": lambda address: InviteLink.read(address.get("invite")),
    "oauth": lambda address: OAuthLink.read(address.get("token")),
    "invoice": _read_invoice,
    "privatepost": MessageLink.read_private,
}


# Writing.


def build(link: Link, scheme: Literal["https", "tg"] = "https") -> str:
    """Spell a link so that `parse` gives the same value back.

    Raises `ValueError` for a value that no link of this scheme can carry: a name against the
    rules, a start parameter with other characters (`StartParamError`), an `OtherLink`.
    """
    if scheme not in ("https", "tg"):
        raise ValueError('the scheme of a link is "https" or "tg"')
    if isinstance(link, SideMenuLink | OtherLink | UnknownTgLink):
        raise ValueError(f"a {type(link).__name__} has no spelling: only other kinds are built")
    text = link.spell(tg=scheme == "tg").text()
    if not _reads_back(text, link):
        raise ValueError(
            f"no {scheme} link reads back as this {type(link).__name__}: check each of its fields"
        )
    return text


def _reads_back(text: str, link: Link) -> bool:
    try:
        return parse(text) == link
    except NotALink:
        return False
