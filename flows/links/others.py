"""How other clients read the same text, and how the documentation once did.

Telegram Desktop (`local_url_handlers`) turns an https link into a tg link with patterns, then
reads its parameters by name, in a fixed order of precedence. So it differs from TDLib in what
the patterns cannot see (a port, a percent escape, a path after a sub-domain), in taking names
of parameters in any case, in cutting a text at 8192 characters, and where one link names
several things. Kinds that need only the path read alike and are left to TDLib's reading.

The documentation before Main Mini Apps gave `?startapp` to the side-menu app.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

from flows.links.kinds import (
    CHANNEL_RIGHTS,
    CHAT_TYPES,
    GROUP_RIGHTS,
    AttachLink,
    DirectLink,
    GameLink,
    InviteLink,
    InvoiceLink,
    Link,
    MainAppLink,
    MessageLink,
    OtherLink,
    PhoneLink,
    SideMenuLink,
    UsernameLink,
)
from flows.links.rules import NotALink, leading_number
from flows.links.tdlib import parse
from flows.open_mode import OpenMode

_LONGEST = 8192
_SUBDOMAIN = re.compile(r"(https?://)?(\w+)\.t\.me(/\d+)?/?(\?.+)?", re.IGNORECASE | re.ASCII)
_T_ME = re.compile(r"(https?://)?(www\.)?(telegram\.(me|dog)|t\.me)/(?P<path>.+)", re.IGNORECASE)
_TG_RESOLVE = re.compile(r"tg:(//)?resolve/?\?(?P<query>.+)", re.IGNORECASE)
_PHONE = re.compile(r"\+(\d+)(\?|$)", re.ASCII)
_INVITE = re.compile(r"(joinchat/|\+|%20)([\w.-]+)(\?|$)", re.IGNORECASE | re.ASCII)
_INVOICE = re.compile(r"(invoice/|\$)([\w-]+)(\?|$)", re.IGNORECASE | re.ASCII)
_NAME = re.compile(
    r"(?P<name>[\w.]+)(/(?P<thread>\d+)(?=/\d))?(/((?P<post>\d+)|(?P<app>[\w.]+)))?/?(\?|$)",
    re.ASCII,
)
_DOMAIN = re.compile(r"[\w.]+", re.ASCII)

Params = dict[str, str]


def readings(text: str) -> dict[str, Link | NotALink]:
    """How "tdlib", "tdesktop" and the "old documentation" read one text, by that name.

    TDLib's reading is the complete one and what `parse` gives. A `NotALink` among the values
    is the reason why that reader refuses the text; nothing is raised.
    """
    return {
        "tdlib": _link_or_reason(parse, text),
        "tdesktop": _link_or_reason(_read_as_tdesktop, text),
        "old documentation": _link_or_reason(_read_as_before_main_apps, text),
    }


def _link_or_reason(read: Callable[[str], Link], text: str) -> Link | NotALink:
    try:
        return read(text)
    except NotALink as reason:
        return reason


def _read_as_before_main_apps(text: str) -> Link:
    link = parse(text)
    if isinstance(link, MainAppLink):
        return SideMenuLink(link.bot, link.start_param, link.mode)
    return link


def _read_as_tdesktop(text: str) -> Link:
    link = text[:_LONGEST].partition("#")[0]
    if resolve := _TG_RESOLVE.fullmatch(link):
        return _resolve(_params(resolve["query"]))
    if link[:3].lower() == "tg:":
        return parse(link)
    return _read_path(_path(link))


def _path(link: str) -> str:
    """What follows `t.me/`; of a link with a sub-domain, only a number and the query remain."""
    if (sub := _SUBDOMAIN.match(link)) and len(sub[2]) > 1 and sub[2].lower() != "www":
        return sub[2] + (sub[3] or "") + (sub[4] or "")
    host = _T_ME.fullmatch(link)
    if host is None:
        raise NotALink("Telegram Desktop knows t.me, telegram.me and telegram.dog, without a port")
    return host["path"]


def _read_path(path: str) -> Link:
    if phone := _PHONE.match(path):
        return _resolve({"phone": phone[1], **_params(path[phone.end() :])})
    if invite := _INVITE.match(path):
        return InviteLink(invite[2])
    if invoice := _INVOICE.match(path):
        return InvoiceLink(invoice[2])
    other = _link_or_reason(parse, f"t.me/{path}")
    if isinstance(other, OtherLink) or (isinstance(other, MessageLink) and path.startswith("c/")):
        return other
    name = _NAME.match(path)
    if name is None:
        raise NotALink("Telegram Desktop knows no such path, and no escapes in it: write t.me/<bot>")
    fixed = {"domain": name["name"], "thread": name["thread"], "post": name["post"]}
    given = {key: value for key, value in {**fixed, "appname": name["app"]}.items() if value}
    return _resolve({**_params(path[name.end() :]), **given})


def _params(query: str) -> Params:
    """Names in lower case, the first value of each; a plus sign stays a plus sign."""
    params: Params = {}
    for argument in query.split("&"):
        key, _, value = argument.partition("=")
        if key:
            params.setdefault(key.lower(), unquote(value))
    return params


def _resolve(params: Params) -> Link:
    """The parameters of `tg://resolve`, in the order of their precedence."""
    name, app = params.get("domain", ""), params.get("appname", "")
    if name == "s" and app:  # t.me/s/<username>, the preview of a channel
        name, app = app, ""
    if not _DOMAIN.fullmatch(name):
        return _resolve_phone(params)
    if app:
        return DirectLink(name, app, params.get("startapp") or None, _mode(params))
    return _resolve_addition(name, params) or _resolve_app(name, params) or _resolve_chat(name, params)


def _resolve_phone(params: Params) -> Link:
    digits = params.get("phone", "")
    if not re.fullmatch("[0-9]+", digits):
        raise NotALink("the link names neither a user name nor a phone number: add one")
    if params.get("attach"):
        return AttachLink(params["attach"], _attach_param(params), f"+{digits}")
    return PhoneLink(f"+{digits}")


def _resolve_addition(name: str, params: Params) -> Link | None:
    """A game, or a bot to be added: these come before the apps, except with `start`."""
    if _DOMAIN.fullmatch(params.get("game", "")):
        return GameLink(name, params["game"])
    if params.get("start"):
        return None
    words = re.split("[+ ]", params.get("admin", ""))
    if "startgroup" in params:
        admin = GROUP_RIGHTS.intersection(words)
        return UsernameLink(name, startgroup=params["startgroup"], admin=admin)
    if "startchannel" in params:
        return UsernameLink(name, startchannel=True, admin=CHANNEL_RIGHTS.intersection(words))
    return None


def _resolve_app(name: str, params: Params) -> Link | None:
    if params.get("attach"):
        return AttachLink(params["attach"], _attach_param(params), name)
    if "startapp" in params:
        return MainAppLink(name, _attach_param(params), _mode(params))
    if "startattach" in params:
        words = re.split("[+ ]", params.get("choose", ""))
        choose = frozenset(kind for kind in CHAT_TYPES if kind in words)
        return AttachLink(name, _attach_param(params), choose=choose)
    return None


def _resolve_chat(name: str, params: Params) -> Link:
    post, thread, comment = (leading_number(params.get(key, "")) for key in ("post", "thread", "comment"))
    if post > 0:
        return MessageLink(name, post, thread or None, comment or None)
    return UsernameLink(name, start=params.get("start") or None)


def _attach_param(params: Params) -> str | None:
    """`startattach` supplies the parameter even of a `startapp` link."""
    return params.get("startattach", params.get("startapp", "")) or None


def _mode(params: Params) -> OpenMode:
    wish = params.get("mode")
    return OpenMode(wish) if wish in ("compact", "fullscreen") else OpenMode.FULLSIZE
