"""Links: what each spelling means, what is refused, and that what is built reads back."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.links import (
    AttachLink,
    ChatType,
    DirectLink,
    GameLink,
    InviteLink,
    InvoiceLink,
    Link,
    MainAppLink,
    MessageLink,
    NotALink,
    OAuthLink,
    OtherLink,
    PhoneLink,
    SideMenuLink,
    StartParamError,
    UnknownTgLink,
    UsernameLink,
    build,
    check_start_param,
    parse,
    readings,
)
from flows.links.kinds import CHANNEL_RIGHTS, CHAT_TYPES, GROUP_RIGHTS
from flows.open_mode import OpenMode
from tests.link_grammar import links

COMPACT, FULLSCREEN = OpenMode.COMPACT, OpenMode.FULLSCREEN
BOTS_AND_GROUPS: frozenset[ChatType] = frozenset({"bots", "groups"})
USERS: frozenset[ChatType] = frozenset({"users"})
PLAIN = UsernameLink("username")
TG, T_ME = "tg:resolve?domain=", "t.me/username"

# What TDLib's own tests fix.
FIXED_BY_TDLIB: list[tuple[str, Link | None]] = [
    (f"{TG}username&appname=aasdasd&startapp=123asd", DirectLink("username", "aasdasd", "123asd")),
    ("TG://resolve?domain=username&appname=&startapp=123asd", PLAIN),
    (f"{TG}telegram&&&&&&&appname=%41b&startapp=", UsernameLink("telegram")),
    (f"{TG}telegram&&&&&&&appname=%41bc&startapp=", DirectLink("telegram", "Abc")),
    (
        f"{TG}telegram&&&&&&&appname=%41bc&startapp=&mode=compact",
        DirectLink("telegram", "Abc", mode=COMPACT),
    ),
    (
        f"{TG}telegram&&&&&&&appname=%41bc&startapp=&mode=fullscreen",
        DirectLink("telegram", "Abc", mode=FULLSCREEN),
    ),
    (f"{T_ME}/asd", DirectLink("username", "asd")),
    (f"{T_ME}/asd#12312&startapp=qwe", DirectLink("username", "asd")),
    (f"{T_ME}/asd?12312&startapp=qwe&mode=compac", DirectLink("username", "asd", "qwe")),
    (
        f"{T_ME}/asd?12312&startapp=qwe&mode=fullscreen",
        DirectLink("username", "asd", "qwe", FULLSCREEN),
    ),
    (
        "https://telegram.dog/tele%63ram/t%63st?mode=compact",
        DirectLink("telecram", "tcst", mode=COMPACT),
    ),
    (f"{T_ME}/def/asd", PLAIN),
    (f"{T_ME}?appname=asd", PLAIN),
    ("t.me/j/jj", UsernameLink("j")),
    ("t.me//username?appname=asd", None),
    ("TG://test@resolve?domain=username&appname=asd", None),
    ("tg:resolve:80?domain=username&appname=asd", None),
    ("tg:http://resolve?domain=username&appname=asd", None),
    (f"{TG}&appname=asd", UnknownTgLink("resolve")),
    (f"{TG}username&startapp=aasdasd", MainAppLink("username", "aasdasd")),
    ("TG://resolve?domain=username&startapp=&startapp=123asd", MainAppLink("username")),
    (
        f"{TG}telegram&&mode=fullscreen&&&&&&startapp=%41bc",
        MainAppLink("telegram", "Abc", FULLSCREEN),
    ),
    (f"{TG}username&startapp=*", PLAIN),
    (f"{T_ME}?startapp=*", PLAIN),
    (f"{T_ME}?12312&startapp=qwe", MainAppLink("username", "qwe")),
    (
        "https://telegram.dog/tele%63ram?startapp=t%63st&mode=%63ompact",
        MainAppLink("telecram", "tcst", COMPACT),
    ),
    (f"{T_ME}?startattach", AttachLink("username")),
    (f"{T_ME}?startattach=1&choose=bots+groups", AttachLink("username", "1", None, BOTS_AND_GROUPS)),
    (f"{T_ME}?startattach=1&choose=cats+dogs", AttachLink("username", "1")),
    (f"{T_ME}?startattach=1*&choose=users", AttachLink("username", choose=USERS)),
    (f"{T_ME}?attach=bot&startattach=1&choose=users", AttachLink("bot", "1", "username")),
    (f"{T_ME}?attach=&startattach=1", AttachLink("username", "1")),
    (f"{T_ME}?attach=%30bot&startattach=1", PLAIN),
    ("t.me/+123456?attach=bot&startattach=1", AttachLink("bot", "1", "+123456")),
    ("tg:resolve?phone=+123456&attach=test", AttachLink("test", chat="+123456")),
    ("t.me/+123456?startattach=1", PhoneLink("+123456")),
    ("tg:resolve?phone=++123456&attach=test", UnknownTgLink("resolve")),
    (f"{TG}username&post=12345&single&startattach=1&attach=test", MessageLink("username", 12345)),
    (f"{TG}oauth&startapp=12345", OAuthLink("12345")),
    (f"{TG}oauth&startapp=", MainAppLink("oauth")),
    ("tg:oauth?token=12345", OAuthLink("12345")),
]

# What follows from the same rules.
DERIVED: list[tuple[str, Link | None]] = [
    ("https://botname.t.me/app?startapp=x", DirectLink("botname", "app", "x")),
    ("https://share.t.me/?startapp", None),
    ("https://t.me/s/botname/app", DirectLink("botname", "app")),
    ("https://t.me:8080/botname/app", None),
    (
        "https://www.telegram.me/botname/app?startapp=x&mode=compact",
        DirectLink("botname", "app", "x", COMPACT),
    ),
]

# One spelling of everything else that is told apart.
OTHERS: list[tuple[str, Link | None]] = [
    ("t.me/+AbC_-123", InviteLink("AbC_-123")),
    ("https://t.me/joinchat/AbC_-123", InviteLink("AbC_-123")),
    ("tg://join?invite=AbC_-123", InviteLink("AbC_-123")),
    ("t.me/joinchat/123456", None),
    ("t.me/$slug_-1", InvoiceLink("slug_-1")),
    ("t.me/invoice/slug=", InvoiceLink("slug=")),
    ("tg://invoice?slug=slug", InvoiceLink("slug")),
    ("t.me/username?game=tetris", GameLink("username", "tetris")),
    ("t.me/oauth?startapp=12345", MainAppLink("oauth", "12345")),
    ("t.me/username?start", UsernameLink("username", start="")),
    ("t.me/username?start=a-b&startapp", UsernameLink("username", start="a-b")),
    ("t.me/username?startapp&start=a-b", MainAppLink("username")),
    ("t.me/username?start=_tgr_x", OtherLink("ref")),
    (
        "t.me/username?startgroup=x&admin=anonymous+fly+post_messages",
        UsernameLink("username", startgroup="x", admin=frozenset({"anonymous"})),
    ),
    (
        "t.me/username?startchannel&admin=anonymous+post_messages",
        UsernameLink("username", startchannel=True, admin=frozenset({"post_messages"})),
    ),
    ("t.me/username?startchannel&admin=anonymous", PLAIN),
    ("t.me/username/12", MessageLink("username", 12)),
    ("t.me/username/3/12?comment=7", MessageLink("username", 12, 3, 7)),
    ("t.me/c/2200583762/3/12", MessageLink(2200583762, 12, 3)),
    ("tg://privatepost?channel=2200583762&post=12&thread=3", MessageLink(2200583762, 12, 3)),
    ("t.me/username/4294967296", None),
    ("t.me/addstickers/Animals", OtherLink("addstickers")),
    ("t.me/username/s/12", OtherLink("story")),
    ("t.me/username?boost", OtherLink("boost")),
    ("tg://settings/devices", OtherLink("settings")),
    ("tg://something?new", UnknownTgLink("something")),
    ("abc.t.me/app", None),
    ("abcd.t.me/app", DirectLink("abcd", "app")),
    ("T.ME/s/%73/s/username", PLAIN),
    ("t.me/username/app?startapp=%D1%8F+*", DirectLink("username", "app", "я *")),
    ("t.me/username?startapp&mode=compact&mode=fullscreen", MainAppLink("username", None, COMPACT)),
    ("t.me/username?STARTAPP=x", PLAIN),
    ("tg:resolve?domain=username&startapp=x&appname=1", PLAIN),
    ("@t.me/username", PLAIN),
    ("https://t.me/username/app//?startapp=x", DirectLink("username", "app", "x")),
    ("t.me/i", None),
]


@pytest.mark.parametrize(("text", "link"), [*FIXED_BY_TDLIB, *DERIVED, *OTHERS])
def test_reads(text: str, link: Link | None) -> None:
    """Each link is of its kind, with these fields; None stands for no link at all."""
    if link is None:
        with pytest.raises(NotALink):
            parse(text)
    else:
        assert parse(text) == link


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "empty: pass a t.me"),
        (" \n", "empty: pass a t.me"),
        ("#t.me/username", "no host name"),
        ("username", "use t.me, telegram.me, telegram.dog or tg://"),
        ("@username", "use t.me, telegram.me, telegram.dog or tg://"),
        ("https://example.com/username/app", "use t.me, telegram.me, telegram.dog or tg://"),
        ("https://t.me.example.com/username", "use t.me, telegram.me, telegram.dog or tg://"),
        ("https://share.t.me/?startapp", "reserved"),
        ("https://web.t.me/username", "reserved"),
        ("https://t.me:8080/username", "drop the port"),
        ("https://t.me:http/username", "drop it"),
        ("https://me:word@t.me/username", "up to the @"),
        ("https://[::1]/username", "no host name"),
        ("https://t .me/username", "no host name"),
        ("https://t%2.me/username", "no host name"),
        ("ftp://t.me/username", "use https:// or tg://"),
        ("https://t.me", "names nobody"),
        ("https://t.me/?startapp=x", "names nobody"),
        ("https://t.me/9bot", "check the name"),
        ("https://t.me/" + "a" * 33, "check the name"),
        ("https://t.me/joinchat/", "check the name"),
        ("tg://", "no host name"),
        ("tg://resolve:443?domain=username", "write tg://resolve"),
        ("tg:https://resolve?domain=username", "write tg://resolve"),
        ("tg://resolve?domain=username&post=last", "message number"),
        ("tg://privatepost?channel=x&post=1", "channel id"),
        ("https://t.me/\ud800", "Unicode"),
    ],
)
def test_says_what_to_write_instead(text: str, advice: str) -> None:
    """A text that is no link is refused in one line, which does not repeat the text."""
    with pytest.raises(NotALink) as refusal:
        parse(text)
    assert advice in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_refusal_does_not_repeat_a_secret() -> None:
    for text in ("123456:AAH-secret", "https://secret:secret@t.me/x", "https://x.y/#secret"):
        with pytest.raises(NotALink) as refusal:
            parse(text)
        assert "secret" not in str(refusal.value)
    assert "secret" not in repr(parse("tg://oauth?token=secret"))


# Building.

usernames = st.from_regex(r"[A-Za-z](_?[A-Za-z0-9]){2,12}bot", fullmatch=True)
short_names = st.from_regex(r"[A-Za-z](_?[A-Za-z0-9]){2,14}", fullmatch=True)
params = st.from_regex(r"[A-Za-z0-9_-]{1,512}", fullmatch=True)
short_params = st.from_regex(r"[A-Za-z0-9_-]{0,64}", fullmatch=True).filter(
    lambda value: not value.startswith("_tgr_")
)
phones = st.from_regex(r"\+[0-9]{1,32}", fullmatch=True)
numbers = st.integers(1, 2**31 - 1)
no_param = st.none()
modes = st.sampled_from(OpenMode)
slugs = st.text(min_size=1)

buildable = st.one_of(
    st.builds(DirectLink, usernames, short_names, no_param | params, modes),
    st.builds(MainAppLink, usernames, no_param | params, modes),
    st.builds(AttachLink, usernames, no_param | params, choose=st.frozensets(st.sampled_from(CHAT_TYPES))),
    st.builds(AttachLink, usernames, no_param | params, usernames | phones),
    st.builds(PhoneLink, phones),
    st.builds(InviteLink, params.filter(lambda value: not value.isdigit())),
    st.builds(UsernameLink, usernames),
    st.builds(UsernameLink, usernames, start=short_params),
    st.builds(
        UsernameLink,
        usernames,
        startgroup=short_params,
        admin=st.frozensets(st.sampled_from(sorted(GROUP_RIGHTS))),
    ),
    st.builds(
        UsernameLink,
        usernames,
        startchannel=st.just(True),
        admin=st.frozensets(st.sampled_from(sorted(CHANNEL_RIGHTS)), min_size=1),
    ),
    st.builds(
        MessageLink,
        usernames | st.integers(1, 10**12 - 1),
        numbers,
        st.none() | numbers,
        st.none() | numbers,
    ),
    st.builds(InvoiceLink, slugs),
    st.builds(GameLink, usernames, short_names),
)


@settings(deadline=None)
@given(buildable)
def test_what_is_built_reads_back(link: Link) -> None:
    """parse ∘ build is the identity, for both schemes."""
    https, tg = build(link), build(link, "tg")
    assert https.startswith("https://t.me/")
    assert tg.startswith("tg://")
    assert parse(https) == parse(tg) == link


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_an_oauth_link_reads_back(token: str) -> None:
    link = OAuthLink(token)
    assert parse(build(link, "tg")) == link
    with pytest.raises(ValueError, match="no https link"):
        build(link)


@pytest.mark.parametrize(
    ("link", "https", "tg"),
    [
        (
            DirectLink("bot", "app", "x", COMPACT),
            "https://t.me/bot/app?startapp=x&mode=compact",
            "tg://resolve?domain=bot&appname=app&startapp=x&mode=compact",
        ),
        (
            DirectLink("bot", "app", mode=FULLSCREEN),
            "https://t.me/bot/app?mode=fullscreen",
            "tg://resolve?domain=bot&appname=app&mode=fullscreen",
        ),
        (MainAppLink("bot"), "https://t.me/bot?startapp", "tg://resolve?domain=bot&startapp"),
        (
            AttachLink("bot", "x", choose=frozenset({"channels", "users"})),
            "https://t.me/bot?startattach=x&choose=users+channels",
            "tg://resolve?domain=bot&startattach=x&choose=users+channels",
        ),
        (
            AttachLink("bot", "x", "+123"),
            "https://t.me/+123?attach=bot&startattach=x",
            "tg://resolve?phone=123&attach=bot&startattach=x",
        ),
        (InviteLink("AbC"), "https://t.me/+AbC", "tg://join?invite=AbC"),
        (InvoiceLink("AbC"), "https://t.me/$AbC", "tg://invoice?slug=AbC"),
        (
            MessageLink("chat", 5, 2),
            "https://t.me/chat/5?thread=2",
            "tg://resolve?domain=chat&post=5&thread=2",
        ),
        (MessageLink(1234, 5), "https://t.me/c/1234/5", "tg://privatepost?channel=1234&post=5"),
    ],
)
def test_spells_as_tdlib_spells(link: Link, https: str, tg: str) -> None:
    assert (build(link), build(link, "tg")) == (https, tg)


@pytest.mark.parametrize(
    "link",
    [
        DirectLink("9bot", "app"),
        DirectLink("bot", "ap"),
        DirectLink("bot", "app/x"),
        DirectLink("bot", "app", ""),
        DirectLink("bot", "app", "*"),
        DirectLink("login", "app"),
        MainAppLink("bot", "a b"),
        MainAppLink("bot", "x" * 513),
        AttachLink("bot", None, "chat", USERS),
        AttachLink("bot", None, "+12a"),
        PhoneLink("123"),
        InviteLink("123"),
        InviteLink(""),
        UsernameLink("bot", start="a", startgroup="b"),
        UsernameLink("bot", start="x" * 65),
        UsernameLink("bot", start="_tgr_x"),
        UsernameLink("bot", startchannel=True),
        UsernameLink("bot", startgroup="", admin=frozenset({"post_messages"})),
        MessageLink("chat", 0),
        MessageLink(-100123, 1),
        InvoiceLink(""),
        InvoiceLink("\ud800"),
        GameLink("bot", "x"),
        SideMenuLink("bot"),
        OtherLink("boost"),
        UnknownTgLink("something"),
    ],
)
def test_refuses_to_build_what_would_not_read_back(link: Link) -> None:
    with pytest.raises(ValueError, match=r"link|start parameter|Link|surrogates"):
        build(link)


def test_refuses_another_scheme() -> None:
    with pytest.raises(ValueError, match='"https" or "tg"'):
        build(PLAIN, "http")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "x", "A-Z_09", "x" * 512])
def test_start_param(value: str) -> None:
    assert check_start_param(value) == value


@pytest.mark.parametrize(
    ("value", "limit", "rule"),
    [
        ("a b", 512, "characters A-Z a-z 0-9 _ -"),
        ("é", 512, "characters A-Z a-z 0-9 _ -"),
        ("x=\n", 512, "characters A-Z a-z 0-9 _ -"),
        ("x\n", 512, "characters A-Z a-z 0-9 _ -"),
        ("x" * 513, 512, "up to 512 characters here, this one has 513"),
        ("x" * 65, 64, "up to 64 characters here, this one has 65"),
    ],
)
def test_start_param_names_the_rule(value: str, limit: int, rule: str) -> None:
    with pytest.raises(StartParamError, match=rule):
        check_start_param(value, limit)


# How others read.

LONG = "https://t.me/username/app?startapp=" + "x" * 8192


@pytest.mark.parametrize(
    ("text", "tdlib", "tdesktop"),
    [
        ("t.me/username/app?startapp=x", *[DirectLink("username", "app", "x")] * 2),
        ("t.me/username?startapp", *[MainAppLink("username")] * 2),
        ("t.me/+AbC", *[InviteLink("AbC")] * 2),
        ("t.me/$AbC", *[InvoiceLink("AbC")] * 2),
        ("t.me/+123?attach=bot&startattach=x", *[AttachLink("bot", "x", "+123")] * 2),
        ("t.me/username/3/12", *[MessageLink("username", 12, 3)] * 2),
        ("t.me/c/2200583762/12", *[MessageLink(2200583762, 12)] * 2),
        ("t.me/addstickers/Animals", *[OtherLink("addstickers")] * 2),
        ("t.me/username?start=x", *[UsernameLink("username", start="x")] * 2),
        ("https://username.t.me?startapp=x", *[MainAppLink("username", "x")] * 2),
        ("tg://join?invite=AbC", *[InviteLink("AbC")] * 2),
        # a path after a sub-domain is not seen
        ("https://username.t.me/app?startapp=x", DirectLink("username", "app", "x"), PLAIN),
        # /s/ is taken away before a user name only
        ("t.me/s/username", PLAIN, PLAIN),
        ("t.me/s/username/app", DirectLink("username", "app"), None),
        # ports, user-info and escapes in names
        ("https://t.me:443/username/app", DirectLink("username", "app"), None),
        ("https://@t.me/username", PLAIN, None),
        ("t.me/tele%63ram/app", DirectLink("telecram", "app"), None),
        # names of parameters in any case; appname as a parameter of https
        ("t.me/username?STARTAPP=x", PLAIN, MainAppLink("username", "x")),
        ("t.me/username?appname=app", PLAIN, DirectLink("username", "app")),
        # precedence
        (
            "t.me/username?start=x&startapp=y",
            UsernameLink("username", start="x"),
            MainAppLink("username", "y"),
        ),
        (
            "t.me/username?startapp=x&attach=bot",
            MainAppLink("username", "x"),
            AttachLink("bot", "x", "username"),
        ),
        ("t.me/username?startattach=x&startapp=y", AttachLink("username", "x"), MainAppLink("username", "x")),
        (
            "t.me/username?startapp=x&game=tetris",
            MainAppLink("username", "x"),
            GameLink("username", "tetris"),
        ),
        (f"{TG}username&post=5&attach=bot", MessageLink("username", 5), AttachLink("bot", None, "username")),
        # start parameters are not checked, long texts are cut
        ("t.me/username?startapp=*", PLAIN, MainAppLink("username", "*")),
        (LONG, DirectLink("username", "app", "x" * 8192), DirectLink("username", "app", "x" * 8157)),
        # no link for either
        ("https://example.com/username", None, None),
    ],
)
def test_how_clients_read(text: str, tdlib: Link | None, tdesktop: Link | None) -> None:
    """None stands for a reader that refuses the text, with its reason."""
    read = readings(text)
    for reader, link in (("tdlib", tdlib), ("tdesktop", tdesktop)):
        if link is None:
            assert isinstance(read[reader], NotALink)
        else:
            assert read[reader] == link


def test_the_old_documentation_gave_startapp_to_the_side_menu() -> None:
    read = readings("t.me/username?startapp=x&mode=compact")
    assert read["old documentation"] == SideMenuLink("username", "x", COMPACT)
    assert read["tdlib"] == MainAppLink("username", "x", COMPACT)
    direct = readings("t.me/username/app")
    assert direct["old documentation"] == direct["tdlib"]


# Anything at all.


def texts() -> st.SearchStrategy[str]:
    beginnings = st.sampled_from(
        ["", "tg:", "tg://resolve?", "t.me/", "https://t.me/username?", "t.me/c/1/", "http://"]
    )
    return st.builds("".join, st.tuples(beginnings, st.text(st.characters())))


@settings(deadline=None)
@given(texts())
def test_any_text_is_a_link_or_is_refused(text: str) -> None:
    """Whatever the text, there is a value or `NotALink`, and the readings agree with it."""
    try:
        link: Link | None = parse(text)
    except NotALink:
        link = None
    read = readings(text)
    assert list(read) == ["tdlib", "tdesktop", "old documentation"]
    assert (None if isinstance(read["tdlib"], NotALink) else read["tdlib"]) == link


def test_generated_links_are_refused_only_as_no_link() -> None:
    """Thousands of near-links: each has three readings, and what can be built reads back."""
    built = 0
    for text in links(seed=3, count=5_000):
        for link in readings(text).values():
            for spelling in () if isinstance(link, NotALink) else spellings(link):
                assert parse(spelling) == link
                built += 1
    assert built > 1_000


def spellings(link: Link) -> Iterator[str]:
    try:
        yield build(link)
    except ValueError:
        return


def test_a_very_long_number_is_read() -> None:
    """Longer than what `int` takes at once."""
    assert parse("t.me/username/" + "9" * 5_000) == PLAIN  # -1 in 64 bits, no message
    assert isinstance(readings("tg:resolve?domain=username&post=" + "9" * 5_000)["tdlib"], NotALink)
