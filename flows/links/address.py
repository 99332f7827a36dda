"""A Telegram link taken apart: what is left of the text before anybody asks what it opens.

`https://www.t.me/some%5fbot/app?startapp=x#top`, `some_bot.t.me/app?startapp=x` and
`tg://resolve?domain=some_bot&appname=app&startapp=x` are three spellings; each becomes an
`Address`: the decoded path, the decoded parameters in their order, and which of the two
schemes it was. `kinds` reads meaning into it and spells it again.

The rules are those TDLib follows (`LinkManager`, `HttpUrl`), the most complete reading among
the official clients: a missing scheme means https; the fragment is dropped first; only the
ports 80 and 443; no user-info and no IPv6; one label before `t.me` is a user name unless
reserved; `t.me/s/…` is the preview of a channel and its `s` is dropped; percent escapes are
decoded in path and parameters, `+` is a space in parameters only.
Pages: core.telegram.org/api/links, core.telegram.org/widgets.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote

from flows.links.rules import NotALink, is_username, is_utf8

HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
ARTICLE_HOSTS = frozenset({"telegra.ph", "te.legra.ph", "graph.org"})
_RESERVED = (
    "addemoji addlist addstickers addstyle addtheme auction auth boost call confirmphone contact "
    "giftcode invoice joinchat login m nft proxy setlanguage share socks web a k z"
)
RESERVED_SUBDOMAINS = frozenset(_RESERVED.split())

_SPACE = " \t\r\n\0\v"  # what is cut off the end of an https link
_HOST = re.compile(r"(?:[A-Za-z0-9.\-_!$,~*'();&+=\x80-\U0010ffff]|%[0-9A-Fa-f]{2})+")
_PORT = re.compile(r"0*([1-9][0-9]{0,4})")
_PREVIEW = re.compile(r"(?:/(?:s|%73)(?=/))*")


@dataclass(frozen=True, slots=True)
class Address:
    """The decoded path and parameters of a link, in order; `tg` tells the scheme.

    Bytes that are no UTF-8 stay in the strings as surrogates (`surrogateescape`).
    """

    tg: bool
    path: tuple[str, ...]
    args: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value given for a parameter; empty when absent."""
        return next((value for key, value in self.args if key == name), "")

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.args)

    def text(self) -> str:
        """The address as a link again."""
        path = "/".join(quote(step, safe="+$", errors="surrogateescape") for step in self.path)
        query = "&".join(_plus(key) + (f"={_plus(value)}" if value else "") for key, value in self.args)
        return ("tg://" if self.tg else "https://t.me/") + path + ("?" + query if query else "")


def _plus(text: str) -> str:
    return quote_plus(text, errors="surrogateescape")


def take_apart(text: str) -> Address:
    """Split a link; raises `NotALink`."""
    if not text.strip():
        raise NotALink("the link is empty: pass a t.me, telegram.me, telegram.dog or tg:// link")
    if not is_utf8(text):
        raise NotALink("the link is no valid Unicode text: pass it as it was copied")
    link = text.partition("#")[0]
    if link[:3].lower() == "tg:":
        return _take_tg_apart(link[3:].removeprefix("//"))
    return _take_https_apart(link)


def _take_tg_apart(rest: str) -> Address:
    authority, _ = _split_authority(rest)
    _, port = _host_and_port(authority)
    if port is not None or re.match("https?://", rest, re.IGNORECASE):
        raise NotALink("a tg link has neither port nor inner scheme: write tg://resolve?domain=…")
    return Address(True, *_path_and_args(rest))


def _take_https_apart(link: str) -> Address:
    authority, query = _split_authority(link)
    raw_host, port = _host_and_port(authority)
    insecure = link[:7].lower() == "http://"
    if (port or (80 if insecure else 443)) not in (80, 443):
        raise NotALink("Telegram links use the ports 80 and 443 only: drop the port")
    query = _with_slash(query.rstrip(_SPACE))
    host = _decode(raw_host)
    host = host.lower() if host.isascii() else host
    name = host.removesuffix(".t.me")
    if name != host and len(name) >= 4 and is_username(name) and name not in RESERVED_SUBDOMAINS:
        return Address(False, *_path_and_args(f"/{name}{query}"))
    host = host.removeprefix("www.")
    if host in HOSTS:
        return Address(False, *_path_and_args(_PREVIEW.sub("", query, count=1)))
    if host in ARTICLE_HOSTS and len(query) > 1:
        return Address(False, ("iv",), (("url", f"https://telegra.ph{query}"),))
    if name in RESERVED_SUBDOMAINS:
        raise NotALink("this sub-domain of t.me is reserved, no user name: write t.me/<name>")
    raise NotALink("the host is none of Telegram's: use t.me, telegram.me, telegram.dog or tg://")


def _split_authority(rest: str) -> tuple[str, str]:
    """`host:port` and what follows it, of a text with or without http(s)://."""
    scheme = re.match(r"([^:/?#@\[\]]*)://", rest)
    if scheme:
        if scheme[1].lower() not in ("http", "https"):
            raise NotALink("the scheme is none of Telegram's: use https:// or tg://")
        rest = rest[scheme.end() :]
    end = re.search(r"[/?]|\Z", rest)
    assert end is not None
    return rest[: end.start()], rest[end.start() :]


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """The host as written; refuses user-info, IPv6 and characters no host may have."""
    rest, colon, digits = authority.rpartition(":")
    port = None
    if colon and rest and "]" not in digits and "@" not in digits:
        number = _PORT.fullmatch(digits)
        if number is None or int(number[1]) > 65535:
            raise NotALink("the port is no number from 1 to 65535: drop it")
        authority, port = rest, int(number[1])
    user_info, _, host = authority.rpartition("@")
    if user_info:
        raise NotALink("a Telegram link has no user-info: drop everything up to the @")
    if host.startswith("[") or not _HOST.fullmatch(host) or host == ".":
        raise NotALink("there is no host name: use t.me, telegram.me, telegram.dog or tg://")
    return host, port


def _with_slash(query: str) -> str:
    return query if query.startswith("/") else "/" + query


def _path_and_args(query: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Decode `/path/of/it?name=value&…`; empty steps at the end of the path are dropped."""
    raw_path, _, raw_args = query.removeprefix("/").partition("?")
    path = [_decode(step) for step in raw_path.split("/")]
    while path and not path[-1]:
        path.pop()
    pairs = (argument.partition("=") for argument in raw_args.split("&"))
    decoded = ((_decode(key, plus=True), _decode(value, plus=True)) for key, _, value in pairs)
    return tuple(path), tuple((key, value) for key, value in decoded if key)


def _decode(text: str, plus: bool = False) -> str:
    text = text.replace("+", " ") if plus else text
    return unquote(text, errors="surrogateescape")
