"""The target file: what may stand in it, and that whatever is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import BadInput, Question
from launcher.probe import Targets, read_targets, target_of

WHOLE = """\
server: sandbox
accounts:
  alice: {budget: 60}
resolve_every: 12h
defaults:
  account: alice
  period: 5m
  expect: {within: 10s}
targets:
  - name: shop
    link: t.me/shop_bot/app?startapp=probe
    host: browser
    expect: {ready_within: 500ms, selector: "#app"}
  - name: menu
    bot: shop_bot
    via: menu_button
    period: 90
    allow: write_access
"""


def read(folder: Path, text: str | bytes, account: str | None = None) -> Targets:
    file = folder / "targets.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_targets(file, account)


def test_a_file_says_everything_and_defaults_hold_for_all(tmp_path: Path) -> None:
    targets = read(tmp_path, WHOLE)
    shop, menu = targets.targets
    assert (targets.server, targets.resolve_every, targets.account("alice").budget) == ("sandbox", 43200, 60)
    assert (shop.account, shop.period, shop.expect.within) == ("alice", 300, 10)
    assert (shop.expect.ready_within, shop.expect.selector) == (0.5, "#app")
    assert (menu.opens, menu.period, menu.expect.within) == ("@shop_bot", 90, 10)
    assert menu.allow == (Question.WRITE_ACCESS,)


def test_a_steady_direct_link_costs_two_requests_and_a_menu_button_one(tmp_path: Path) -> None:
    shop, menu = read(tmp_path, WHOLE).targets
    assert (shop.requests, menu.requests) == (2, 1)


def one(lines: str) -> str:
    return f"targets:\n  - name: shop\n    link: t.me/shop_bot/app\n{lines}"


WRONG = {
    "targets: [": (1, "not YAML"),
    "a: 1\nb: : 2\n": (2, "not YAML"),
    "- a list\n": (1, "is a mapping"),
    "": (1, "is a mapping"),
    "server: test\n": (1, "targets is missing"),
    "targets: []\n": (1, "nothing to check"),
    "targets:\n  - just text\n": (2, "targets"),
    one("    perod: 5m\n"): (4, "no such key: perod"),
    one("    period: 5 minutes\n"): (4, "a duration is"),
    one("    period: -1\n"): (4, "greater than 0"),
    one("    period: .inf\n"): (4, "less than or equal to"),
    one("    link: t.me/other/app\n"): (4, "stands here twice"),
    one("    host: ftp\n"): (4, "'http', 'browser' or 'none'"),
    one("    platform: symbian\n"): (2, "platform is one of"),
    one("    via: menu\n"): (2, "via is one of"),
    one("    bot: shop_bot\n"): (2, "either a link, or a bot"),
    one("    expect: {selector: '#a'}\n"): (2, "expect.selector needs host: browser"),
    one("    metapro: true\n    host: none\n"): (2, "metapro needs host"),
    one("    expect:\n      statu: 200\n"): (5, "no such key: statu"),
    one("    expect:\n      status: 99\n"): (5, "greater than or equal to 100"),
    one("    expect: {init_data: [hsh]}\n"): (4, "expect.init_data"),
    one("    allow: everything\n"): (4, "allow"),
    one("  - name: shop\n    bot: shop_bot\n"): (4, "another target is named shop"),
    one("  - name: 'a b'\n    bot: shop_bot\n"): (4, "a name has"),
    one("  - name: two\n    link: https://example.org/\n"): (4, "no link to a Mini App"),
    one("accounts: {alice: {budget: 0}}\n"): (4, "greater than 0"),
    one("    period: 1s\n"): (2, "would make 120 requests a minute; its budget is 20"),
    one("    account: alcie\naccounts: {alice: {}, bob: {}}\n"): (4, "name alcie. Did you mean alice?"),
    one("    account: zoe\naccounts: {alice: {}, bob: {}}\n"): (4, "name zoe. It names alice, bob."),
    "defaults: {account: alcie}\naccounts: {alice: {}}\n" + one(""): (1, "Did you mean alice?"),
    one("  - {name: two, bot: guarded, via: chat_join}\n"): (4, "chat_join wants the link of a chat"),
    one("  - {name: two, bot: shop_bot, via: direct_link}\n"): (4, "alone does not name a direct link"),
    one("    via: main_app\n"): (2, "The link opens a direct link, not main_app"),
    one("  - {name: two, link: 't.me/shop_bot/app?startapp=a', start_param: b}\n"): (
        4,
        "another start param",
    ),
    one("  - {name: two, link: t.me/+abcdefghijkl, start_param: b}\n"): (4, "cannot carry a start parameter"),
    one("  - {name: two, bot: shop_bot, via: menu_button, start_param: b}\n"): (4, "cannot carry a start"),
    one("    start_param: a b\n"): (2, "start_param: "),
    one("  - {name: two, link: t.me/addstickers/cats}\n"): (4, "it opens no Mini App"),
    "defaults: {perod: 5m}\n" + one(""): (1, "no such key: perod"),
    "defaults: {name: shop}\n" + one(""): (1, "what targets may share"),
    "defaults: [1]\n" + one(""): (1, "what targets may share"),
    "a: &a [*a]\ntargets: 1\n": (1, "no such key: a"),
    "targets: 2026-99-99\n": (1, "not YAML"),
    "targets: \0\n": (1, "not YAML"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: tuple[int, str]) -> None:
    line, words = said
    with pytest.raises(BadInput) as error:
        read(tmp_path, text)
    assert f"targets.yaml:{line}: " in str(error.value)
    assert words in str(error.value)


def test_two_targets_that_fit_alone_may_be_too_much_together(tmp_path: Path) -> None:
    half = "    period: 10s\n"
    read(tmp_path, one(half))
    with pytest.raises(BadInput, match=r"yaml:5: with two the account .* would make 24 requests a minute"):
        read(tmp_path, one(half + "  - name: two\n    link: t.me/shop_bot/app\n" + half))


def test_targets_that_name_no_account_count_to_the_one_that_is_given(tmp_path: Path) -> None:
    half = "    period: 10s\n"
    file = one(half + "  - name: two\n    link: t.me/shop_bot/app\n    account: alice\n" + half)
    assert [one.account for one in read(tmp_path, file, account="bob").targets] == ["bob", "alice"]
    with pytest.raises(BadInput, match=r"yaml:5: with two the account alice would make 24 requests"):
        read(tmp_path, file, account="alice")
    read(tmp_path, file + "accounts: {alice: {budget: 24}}\n", account="alice")


def test_targets_that_name_no_account_are_those_of_the_only_one_that_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, one("")).targets[0].account is None
    two = one("  - {name: two, bot: shop_bot, account: alice}\n")
    assert [one.account for one in read(tmp_path, two).targets] == ["alice", "alice"]
    slow = "accounts: {alice: {budget: 0.3}}\n"
    with pytest.raises(BadInput, match=r"yaml:2: with shop the account alice would make 0\.4 requests"):
        read(tmp_path, one(slow))
    with pytest.raises(BadInput, match=r"yaml:2: shop names no account, and there are alice, bob\. Say acc"):
        read(tmp_path, one("accounts: {alice: {}, bob: {}}\n"))


@pytest.mark.parametrize("via", ["main_app", "side_menu"])
def test_what_a_link_and_its_options_agree_on_may_be_said(tmp_path: Path, via: str) -> None:
    for opened in (
        f"link: 't.me/shop_bot?startapp=a', start_param: a, via: {via}",
        "link: t.me/+abcdefghijkl, via: chat_join",
        "link: t.me/guarded, via: chat_join",
        "link: t.me/shop_bot/app, start_param: a, via: direct_link",
        "bot: shop_bot, via: keyboard_button, button: Order",
    ):
        assert read(tmp_path, f"targets: [{{name: shop, {opened}}}]\n").targets


@pytest.mark.parametrize(("content", "words"), [(b"\xff\xfe", "UTF-8"), (b"a: \x80", "UTF-8")])
def test_a_file_in_another_encoding_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_targets(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://t.me/shop_bot/app?startapp=secret", "t.me-shop_bot-app"),
        ("@shop_bot", "shop_bot"),
        ("tg://resolve?domain=shop_bot&appname=app", "resolve"),
        ("https://t.me/+GuardedChannelInvite", "t.me-secret"),
    ],
)
def test_a_link_of_the_command_line_is_named_after_what_it_opens(link: str, name: str) -> None:
    target = target_of(link)
    assert target.name == name
    assert target.opens == link


def test_what_is_no_link_is_no_target() -> None:
    with pytest.raises(BadInput, match="no link to a Mini App"):
        target_of("https://example.org/")
