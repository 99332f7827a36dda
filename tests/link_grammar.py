"""A grammar that writes links of every form, right and wrong, from a seed.

Most of what it writes is nearly a link: each step takes a good part mostly and a bad one
sometimes, so that a link has few faults at a time. A part of the links is then damaged by
chance: a character dropped, doubled or replaced.
"""

from collections.abc import Iterator
from itertools import islice
from random import Random
from urllib.parse import unquote_to_bytes

SCHEMES = ["", "", "https://", "https://", "http://", "HTTPS://", "HttP://", "//", "ftp://"]
HOSTS = ["t.me", "t.me", "telegram.me", "telegram.dog", "www.t.me", "www.telegram.me", "T.Me"]
ODD_HOSTS = [
    *("username.t.me", "UserName.T.me", "abcd.t.me", "abc.t.me", "a__b.t.me", "a.b.t.me"),
    *("share.t.me", "invoice.t.me", "web.t.me", "k.t.me", "www.username.t.me", "9bot.t.me"),
    *("x.telegram.me", "telegram.org", "example.com", "t.me.", "t%2Eme", "%74.me", "t%2eMe"),
    *("user@t.me", "@t.me", "user:word@t.me", "[::1]", "", ".", "t_me", "telegra.ph", "t.mé"),
    *("username%2Et.me", "\u212aelv.t.me", "te.legra.ph", "graph.org"),
]
PORTS = [":80", ":443", ":0443", ":8080", ":", ":0", ":65536", ":x", ":-80", ":99999999999"]

NAMES = ["username", "UserName_9", "some_bot", "Bot", "telegram", "a" * 32]
ODD_NAMES = [
    *("a", "ab", "i", "s", "c", "x_", "_x", "a__b", "9bot", "a" * 33, "na-me", "na.me", "ñame"),
    *("oauth", "boost", "Boost", "newbot", "telegrampassport", "", "user name", "joinchat"),
]
APPS = ["app", "my_app", "Abc", "game123", "a" * 32]
PARAMS = ["1", "qwe", "A-z_0", "x" * 64, "x" * 65, "_tgr_abc", "a" * 513]
ODD_PARAMS = ["", "", "*", "a b", "a+b", "ü", "%FF", "1=2", "_tgr_", "a.b", "live", "0", "007"]
NUMBERS = ["1", "12345", "2147483647", "33"]
ODD_NUMBERS = [
    *("0", "-1", "12abc", "007", "2147483648", "9223372036854775808", "18446744073709551617"),
    *("-9223372036854775809", "+5", "1.5", "", "9" * 40),
]
CHANNEL = "2200583762"
HASHES = ["AbCdEf-_123", "abc", "x" * 40, "1" * 33]
ODD_HASHES = ["", "a=b", "a.b", "123456", "ü", "%FF", "%ZZ", "a/b", "$x", "+1"]
PHONES = ["123456", "1", "9" * 32]
MODES = ["compact", "fullscreen", "fullsize", "Compact", "", "compac"]
CHOICES = ["users", "bots", "groups", "channels"]
RIGHTS = [
    *("change_info", "post_messages", "edit_messages", "delete_messages", "restrict_members"),
    *("invite_users", "pin_messages", "manage_topics", "promote_members", "manage_video_chats"),
    *("post_stories", "edit_stories", "delete_stories", "manage_direct_messages", "anonymous"),
    *("manage_tags", "manage_chat", "fly"),
]
OTHER_PARAMETERS = [
    *("videochat", "voicechat", "livestream", "boost", "ref", "direct", "story", "collection"),
    *("album", "profile", "text", "single", "thread", "comment", "t", "c", "url", "set", "code"),
    *("server", "port", "secret", "hash", "lang", "color", "bot_id", "scope", "public_key"),
    *("nonce", "option", "12312", "STARTAPP", "Mode"),
]
PASSPORT = ["bot_id=1", "scope=x", "public_key=x", "nonce=x"]
HTTPS_WORDS = [
    *("login", "addlist", "call", "auction", "nft", "contact", "addstickers", "addemoji"),
    *("setlanguage", "addstyle", "addtheme", "confirmphone", "socks", "proxy", "bg", "giftcode"),
    *("m", "share", "msg", "iv", "joinchat", "invoice", "c", "newbot", "boost", "Login"),
]
TG_WORDS = [
    *("nft", "contact", "contacts", "chats", "login", "new", "oauth", "post", "passport"),
    *("restore_purchases", "premium_offer", "premium_multigift", "settings", "stars", "ton"),
    *("grams", "addlist", "call", "join", "addstickers", "addemoji", "setlanguage", "addstyle"),
    *("addtheme", "confirmphone", "socks", "proxy", "privatepost", "boost", "bg", "invoice"),
    *("giftcode", "message", "share", "msg", "msg_url", "stars_topup", "stargift_auction"),
    *("newbot", "resolve", "Resolve", "nothing", "emoji", "user", "%72esolve"),
]


def links(seed: int, count: int) -> Iterator[str]:
    """`count` links that are UTF-8 when decoded; the same seed always gives the same ones."""
    return islice(filter(_is_utf8, _Writer(Random(seed))), count)


def _is_utf8(link: str) -> bool:
    """TDLib 1.8.69 ends its process when it has to answer with other bytes."""
    try:
        unquote_to_bytes(link).decode()
    except UnicodeDecodeError:
        return False
    return True


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random

    def __iter__(self) -> Iterator[str]:
        while True:
            yield self.link()

    def link(self) -> str:
        text = self.tg() if self.chance(0.4) else self.https()
        text += self.random.choice(["#top", "#", "#?startapp=x&mode=compact"]) * self.chance(0.1)
        text += self.random.choice(["\n", "%", "?", "/", "\t \x00"]) * self.chance(0.03)
        return self.damaged(text) if self.chance(0.15) else text

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, good: list[str], odd: list[str]) -> str:
        return self.escaped(self.random.choice(odd if self.chance(0.2) else good))

    def escaped(self, text: str) -> str:
        """Sometimes a character as its percent escape."""
        if not text or not self.chance(0.1):
            return text
        at = self.random.randrange(len(text))
        escape = "".join(f"%{byte:02{'xX'[self.chance(0.5)]}}" for byte in text[at].encode())
        return text[:at] + escape + text[at + 1 :]

    def damaged(self, text: str) -> str:
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(text) + 1)
            new = self.random.choice(["", *"/?&=#%+:@ .$_-s0A\n\ré"]) + text[at : at + 1]
            text = text[:at] + self.random.choice([new, new[:-1], new * 2]) + text[at + 1 :]
        return text

    def https(self) -> str:
        host = self.random.choice(ODD_HOSTS if self.chance(0.2) else HOSTS)
        port = self.random.choice(PORTS) if self.chance(0.08) else ""
        preview = self.random.choice(["s/", "s/s/", "%73/", "S/", "/"]) * self.chance(0.06)
        steps = "/".join(self.path()) + self.random.choice(["", "", "", "/", "//"])
        slash = "" if self.chance(0.03) else "/"
        return self.random.choice(SCHEMES) + host + port + slash + preview + steps + self.query()

    def path(self) -> list[str]:
        name, app = self.pick(NAMES, ODD_NAMES), self.pick(APPS, ODD_NAMES)
        number, more = self.pick(NUMBERS, ODD_NUMBERS), self.pick(NUMBERS, ODD_NUMBERS)
        code, param = self.pick(HASHES, ODD_HASHES), self.pick(PARAMS, ODD_PARAMS)
        words = [self.escaped(self.random.choice(HTTPS_WORDS)), self.pick(APPS + HASHES, [""])]
        forms = [
            *([name], [name], [name], [name, app], [name, app], [name, app], [name, app, app]),
            *([name, number], [name, number, more], ["c", CHANNEL, more], ["c", number]),
            *(["c", number, more, self.pick(NUMBERS, ODD_NUMBERS)], ["%2B" + code]),
            *([f"+{self.pick(PHONES, ODD_HASHES)}"], [f"+{code}"], [f"%20{code}"], ["+", code]),
            *(["joinchat", code], [f"${code}"], ["invoice", code], words, [*words, param]),
            [name, self.random.choice("sca"), self.random.choice([number, "live"])],
            ["newbot", name, self.pick(NAMES, ODD_NAMES)],
        ]
        return self.random.choice(forms)

    def tg(self) -> str:
        scheme = self.random.choice([*["tg:", "tg://", "TG://", "Tg:"] * 5, "tg:///", "tg:https://"])
        if self.chance(0.7):
            tail = self.random.choice(["", "", "", "/", "/x"])
            return scheme + "resolve" + tail + self.query(self.subject())
        word = self.escaped(self.random.choice(TG_WORDS))
        step = "/" + self.pick(APPS, ["", "edit", "calls", "channel"]) if self.chance(0.2) else ""
        return scheme + word + step + self.query(self.tg_argument())

    def subject(self) -> list[str]:
        if self.chance(0.03):
            return [f"domain={self.escaped('oauth')}"]
        if self.chance(0.02):
            return ["domain=telegrampassport", *map(self.escaped, PASSPORT)]
        if self.chance(0.15):
            sign = self.random.choice(["", "", "+", "++", "%2B"])
            return [f"phone={sign}{self.pick(PHONES, ODD_HASHES)}"]
        return [f"domain={self.pick(NAMES, ODD_NAMES)}"]

    def tg_argument(self) -> list[str]:
        name = self.random.choice(["slug", "invite", "token", "set", "domain", "channel", "url"])
        value = self.pick(HASHES + NUMBERS, ODD_HASHES)
        if self.chance(0.1):
            name, value = "channel", CHANNEL
        post = [f"post={self.pick(NUMBERS, ODD_NUMBERS)}"] * self.chance(0.5)
        return [f"{self.escaped(name)}={value}", *post]

    def query(self, first: list[str] | None = None) -> str:
        count = self.random.choice([0, 1, 1, 2, 2, 3, 5])
        arguments = [*(first or []), *(self.argument() for _ in range(count))]
        if self.chance(0.15):
            self.random.shuffle(arguments)
        if not arguments:
            return ""
        separator = "&" if self.chance(0.9) else "&&&"
        return "?" + separator.join(arguments)

    def argument(self) -> str:
        param = self.pick(PARAMS, ODD_PARAMS)
        values = {
            "startapp": param,
            "startattach": param,
            "start": param,
            "startgroup": param,
            "startchannel": param,
            "appname": self.pick(APPS, ODD_NAMES),
            "game": self.pick(APPS, ODD_NAMES),
            "attach": self.pick(NAMES, ODD_NAMES),
            "mode": self.pick(MODES, [""]),
            "choose": self.several(CHOICES),
            "admin": self.several(RIGHTS),
            "post": self.pick(NUMBERS, ODD_NUMBERS),
        }
        name = self.random.choice(list(values) * 3 + ["startapp"] * 9 + OTHER_PARAMETERS)
        value = values.get(name, self.pick(PARAMS + NUMBERS, ODD_PARAMS))
        added = f"&admin={self.several(RIGHTS)}" if name in ("startgroup", "startchannel") else ""
        added += "&attach=" * (name == "startattach" and self.chance(0.2))
        return self.escaped(name) + self.random.choice(["=", "=", "=", "=", ""]) + value + added

    def several(self, words: list[str]) -> str:
        chosen = self.random.choices([*words, "cats"], k=self.random.randint(0, 3))
        return self.random.choice(["+", "+", "%20", ","]).join(chosen)
