"""The schedule of the exporter, in the sandbox: beats, accounts that come and go, floods, clocks, reloads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows import BadInput
from launcher.exporter.history import History
from launcher.exporter.schedule import AGAIN, PAGES_AT_ONCE, _following
from launcher.hosts.browser import Browser
from launcher.probe import Stage, Status, Target
from launcher.probe.results import not_tested
from launcher.sandbox.faults import Fail, FloodWait
from tests.browsers import browser  # noqa: F401 - the fixture tells whether there is Chromium
from tests.conftest import need
from tests.exporting import READY, TWO, exporting
from tests.pages import SILENT, app
from tests.running import calls_of, let_pass

OK, UNKNOWN = Status.OK, Status.UNKNOWN


ABC = """
accounts: {alice: {budget: 20}}
defaults: {account: alice, period: 300}
targets:
  - {name: a, link: t.me/demo_bot/app}
  - {name: b, link: t.me/demo_bot/app}
  - {name: c, link: t.me/demo_bot/app}
"""


async def test_first_checks_come_as_soon_as_the_budget_allows_and_then_are_spread(tmp_path: Path) -> None:
    """Two requests each, of which the bucket holds five and gets one in three seconds."""
    async with exporting(tmp_path, ABC) as world:
        began = world.time()
        await world.checked("a")
        assert [world[name].next_at for name in "bc"] == [began + 1, began + 3]
        for name in "bc":
            world.time.go(15)
            await world.checked(name)
        assert [world[name].next_at for name in "abc"] == [began + 300, began + 400, began + 200]
        world.time.go(70)
        for name, times in (("c", 2), ("a", 2), ("b", 2), ("c", 3)):
            world.time.go(100)
            await world.checked(name, times)
        assert [world[name].counts.total() for name in "abc"] == [2, 2, 3]
        assert world["b"].last_at == began + 400


async def test_first_checks_leave_their_part_to_targets_that_are_due_again(tmp_path: Path) -> None:
    """A hundred targets that are checked once a day, and one that wants half of the budget, and gets it."""
    days = ", ".join(f'{{name: d{number}, bot: "@demo_bot", via: menu_button}}' for number in range(100))
    targets = f"""
accounts: {{alice: {{budget: 24}}}}
defaults: {{account: alice, period: 1d, host: none}}
targets: [{{name: often, bot: "@demo_bot", via: main_app, period: 5}}, {days}]
"""
    async with exporting(tmp_path, targets) as world:
        began = world.time()
        await world.checked("often")
        first = [world[f"d{number}"].next_at for number in (0, 4, 5, 6, 99)]
        assert first == pytest.approx([began + seconds for seconds in (1, 5, 6, 7, 475)], rel=1e-2)


async def test_what_is_known_from_before_waits_for_its_turn(tmp_path: Path) -> None:
    history, known = (
        History(tmp_path / "history.sqlite"),
        not_tested(Target(name="x", bot="@demo_bot"), BadInput("?", "")),
    )
    history.note(replace(known, target="c"), 0.0)
    history.note(replace(known, target="b", stages=()), 0.0)
    async with exporting(tmp_path, ABC, history=history) as world:
        began = world.time()
        assert world["c"].last
        await world.checked("a")
        assert [world[name].next_at for name in "abc"] == [began + 300, began + 100, began + 1]


def test_a_check_that_takes_too_long_skips_beats_and_shifts_none() -> None:
    assert _following(100.0, 10.0, 100.0) == 110
    assert _following(100.0, 10.0, 109.9) == 110
    assert _following(100.0, 10.0, 110.0) == 120
    assert _following(100.0, 10.0, 145.0) == 150
    assert _following(100.0, 10.0, 85.0) == 100


async def test_targets_that_hang_delay_nobody(tmp_path: Path) -> None:
    targets = """
defaults: {period: 60}
targets:
  - {name: slow, link: t.me/demo_bot/app}
  - {name: slower, link: t.me/demo_bot/app}
  - {name: fast, bot: "@demo_bot", via: main_app}
"""
    async with exporting(tmp_path, targets, {"/": READY, "/app": SILENT}) as world:
        await world.site.arrived.wait()
        world.site.arrived.clear()
        world.time.go(20)
        await world.site.arrived.wait()
        world.time.go(20)
        for times in range(1, 6):
            await world.checked("fast", times)
            world.time.go(60)
        assert world.statuses("fast")[:5] == [OK] * 5
        assert world["slow"].checking
        assert world["slower"].checking
        assert world["slow"].last is world["slower"].last is None


@pytest.mark.asyncio(loop_scope="session")
async def test_a_browser_has_only_some_pages_of_an_account_at_once(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
) -> None:
    """What comes behind the pages that wait for their turn is checked while they wait."""
    shown = ", ".join(f"{{name: p{number}, link: t.me/demo_bot/app}}" for number in range(PAGES_AT_ONCE + 2))
    targets = f"""
accounts: {{alice: {{budget: 600}}}}
defaults: {{account: alice, period: 1d, host: browser, timeout: 300}}
targets: [{shown}, {{name: last, bot: "@demo_bot", via: main_app, host: none}}]
"""
    async with exporting(tmp_path, targets, {"/app": app()}, browser) as world:
        await world.until(lambda: world["last"].next_at)
        world.time.go(1)
        while world.site.asked.count("/app") < PAGES_AT_ONCE:
            world.site.arrived.clear()
            await world.site.arrived.wait()
        await world.checked("last")
        launched = calls_of(world.sandbox, "messages.requestAppWebView")
        assert (len(launched), world.site.asked.count("/app")) == (PAGES_AT_ONCE, PAGES_AT_ONCE)
        assert all(world[f"p{number}"].checking for number in range(PAGES_AT_ONCE + 2))


async def test_a_target_that_hangs_is_critical_and_checked_again(tmp_path: Path) -> None:
    """The second time it may take as long as it likes."""
    targets = "targets: [{name: slow, link: t.me/demo_bot/app, timeout: 20s, period: 60}]"
    async with exporting(tmp_path, targets, {"/app": SILENT}) as world:
        await world.site.arrived.wait()
        let_pass(20)
        await world.checked("slow")
        world.site.pages["/app"] = READY
        (tmp_path / "targets.yaml").write_text(targets.replace("20s", "300s"))
        assert await world.exporter.reload()
        await world.checked("slow", 2)
        assert world.statuses("slow") == [Status.CRITICAL, OK]


async def test_an_account_that_is_lost_leaves_the_others_alone_and_is_tried_again(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        for seconds, times in ((1, 1), (149, 2)):
            world.time.go(seconds)
            await world.checked("menu", times)
        world.sandbox.faults.on("messages.requestAppWebView", Fail(401, "AUTH_KEY_UNREGISTERED"))
        world.time.go(150)
        await world.until(lambda: world.exporter.source.accounts["alice"].problem)
        await world.checked("main", 2)
        assert world.statuses("shop") == [OK, UNKNOWN, UNKNOWN]
        assert world.statuses("menu") == [OK, OK, UNKNOWN]
        assert world.statuses("main") == [OK, OK]
        alice, bob = world.exporter.source.accounts["alice"], world.exporter.source.accounts["bob"]
        assert (alice.up, bob.up, alice.again_at) == (False, True, world.time() + AGAIN)

        world.time.go(AGAIN)
        await world.checked("shop", 4)
        assert (alice.up, alice.problem, world.statuses("shop")[-1]) == (True, None, OK)
        assert [launcher.account for launcher in world.launchers].count("bob") == 1


async def test_an_account_that_cannot_be_used_is_tried_ever_less_often(tmp_path: Path) -> None:
    async with exporting(tmp_path, TWO.replace("bob", "nobody")) as world:
        await world.checked("main")
        nobody = world.exporter.source.accounts["nobody"]
        for times, pause in ((2, AGAIN), (3, 2 * AGAIN), (4, 4 * AGAIN)):
            assert nobody.again_at == world.time() + pause
            world.time.go(pause)
            await world.checked("main", times)
        assert "no account 'nobody'" in world["main"].past[-1].text
        assert [line.partition(":")[0] for line in world.said] == ["nobody"], "the same is said once"
        await world.checked("shop")
        assert world.statuses("shop")[0] is OK


async def test_a_flood_wait_pauses_its_account_alone(tmp_path: Path) -> None:
    targets = """
defaults: {period: 300, account: alice}
targets:
  - {name: menu, bot: "@demo_bot", via: menu_button, host: none, period: 1d}
  - {name: shop, link: t.me/demo_bot/app}
  - {name: main, bot: "@demo_bot", via: main_app, account: bob}
"""
    async with exporting(tmp_path, targets) as world:
        await world.checked("menu")
        await world.checked("main")
        world.time.go(150)
        await world.checked("shop")
        alice = world.exporter.source.accounts["alice"]
        alice.budget.pause(3600)
        asked = len(calls_of(world.sandbox, "messages.requestAppWebView"))
        world.time.go(300)
        await world.checked("shop", 2)
        await world.checked("main", 2)
        assert "wants this account to be left alone for 3300" in world["shop"].past[-1].text
        assert (world.statuses("shop"), world.statuses("main")) == ([OK, UNKNOWN], [OK, OK])
        assert len(calls_of(world.sandbox, "messages.requestAppWebView")) == asked

        world.time.go(3300)
        await world.checked("shop", 3)
        assert world.statuses("shop")[-1] is OK, world["shop"].past[-1].text


async def test_a_flood_wait_of_telegrams_is_counted_and_kept(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        world.sandbox.faults.on("messages.requestAppWebView", FloodWait(3600))
        assert (await world.checked("shop")).past[-1].status is UNKNOWN
        alice, bob = world.exporter.source.accounts["alice"], world.exporter.source.accounts["bob"]
        assert (alice.flood_waits, alice.budget.paused_for) == (1, 3600)
        assert (bob.flood_waits, bob.budget.paused_for) == (0, 0)


async def test_checks_that_wait_for_the_budget_do_not_wait_out_a_flood(tmp_path: Path) -> None:
    targets = """
accounts: {alice: {budget: 8}}
defaults: {period: 1000, account: alice, host: none}
targets:
  - {name: a, link: t.me/demo_bot/app}
  - {name: b, link: t.me/demo_bot/app}
  - {name: c, link: t.me/demo_bot/app}
"""
    async with exporting(tmp_path, targets) as world:
        await world.checked("a")
        alice = world.exporter.source.accounts["alice"]
        alice.budget.spend(20)
        world.time.go(100)
        await world.until(lambda: world["b"].checking and world["c"].checking)
        alice.budget.pause(3600)
        await world.checked("b")
        await world.checked("c")
        assert world.statuses("b") == world.statuses("c") == [UNKNOWN]
        assert not world["b"].checking


async def test_what_an_account_has_asked_is_not_forgotten_by_a_new_file(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        world.sandbox.faults.on("messages.requestAppWebView", FloodWait(3600))
        await world.checked("shop")
        before = world.exporter.source.accounts["alice"]
        asked = len(calls_of(world.sandbox, "messages.requestAppWebView"))
        assert (before.requests, before.budget.left) == (3, 12)
        main = TWO.split("  - {name: shop")[0] + TWO[TWO.index("  - {name: main") :]
        for file in (main, TWO.replace("alice: {budget: 60}", "alice: {budget: 20}")):
            (tmp_path / "targets.yaml").write_text(file)
            assert await world.exporter.reload()
        await world.checked("shop")
        alice = world.exporter.source.accounts["alice"]
        assert world.statuses("shop") == [UNKNOWN]
        assert (alice.requests, alice.flood_waits, alice.budget.paused_for) == (3, 1, 3600)
        assert (alice.budget.per_minute, alice.budget.left) == (20, 5)
        assert len(calls_of(world.sandbox, "messages.requestAppWebView")) == asked


@pytest.mark.parametrize("jump", [-1e8, 1e8])
async def test_a_clock_that_is_set_changes_nothing(tmp_path: Path, jump: float) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        due = world["shop"].next_at
        world.wall[0] += jump
        world.time.go(299)
        assert (world["shop"].age(world.time()), world["shop"].next_at) == (299, due)
        world.time.go(1)
        shop = await world.checked("shop", 2)
        assert shop.last
        assert shop.last.resolved_age == pytest.approx(300)
        await world.checked("main")
        assert len(calls_of(world.sandbox, "contacts.resolveUsername")) == 2  # one by each account


@pytest.mark.slow
async def test_a_browser_that_ends_is_started_again(tmp_path: Path, browser: object) -> None:  # noqa: F811
    targets = "targets: [{name: shop, link: t.me/demo_bot/app, host: browser}]"
    async with exporting(tmp_path, targets, {"/app": SILENT}) as world:
        await world.site.arrived.wait()
        world.site.pages["/app"] = READY
        before = await world.launchers[0].browser()
        world.time.go(60)  # the budget has to be enough for a second launch
        await before.playwright.close()
        shop = await world.checked("shop")
        assert shop.last
        assert (shop.last.status, shop.last.repeated) == (OK, True), shop.last.text
        assert await world.launchers[0].browser() is not before


async def test_a_defect_ends_one_check_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        monkeypatch.setattr(
            world.launchers[0] if world.launchers[0].account == "alice" else world.launchers[1], "cache", None
        )
        world.time.go(300)
        shop = await world.checked("shop", 2)
        await world.checked("main", 2)
        assert shop.last
        assert (shop.last.status, shop.last.stages[0].stage) == (UNKNOWN, Stage.RESOLVE)
        assert "a defect of this program (AttributeError)" in shop.last.text
        assert world.statuses("main") == [OK, OK]


# Reading the target file anew


async def test_a_changed_file_disturbs_only_the_accounts_it_changes(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        due, shop = world["shop"].next_at, world["shop"]
        changed = TWO.replace("name: menu", "name: new, period: 60")
        (tmp_path / "targets.yaml").write_text(changed)
        world.time.go(10)
        assert await world.exporter.reload()
        assert list(world.exporter.source.watched) == ["shop", "new", "main"]
        assert world["shop"] is shop
        await world.until(lambda: world.exporter.source.accounts["alice"].up)
        assert [launcher.account for launcher in world.launchers].count("alice") == 2
        assert [launcher.account for launcher in world.launchers].count("bob") == 1
        assert world["shop"].next_at == due
        world.time.go(30)
        await world.checked("new")


async def test_how_often_names_are_resolved_may_change(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        await world.checked("main")
        (tmp_path / "targets.yaml").write_text(f"resolve_every: 100\n{TWO}")
        assert await world.exporter.reload()
        world.time.go(300)
        await world.checked("shop", 2)
        await world.checked("main", 2)
        assert len(calls_of(world.sandbox, "contacts.resolveUsername")) >= 4, "once more by each account"


async def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        await world.checked("shop")
        for broken, words in (
            (TWO.replace("period", "perod"), "targets.yaml:3: defaults.perod: no such key"),
            ("targets: [", "targets.yaml:1: not YAML"),
            (f"server: test\n{TWO}", "the server has changed"),
        ):
            (tmp_path / "targets.yaml").write_text(broken)
            assert not await world.exporter.reload()
            assert words in str(world.exporter.problem)
        assert list(world.exporter.source.watched) == ["shop", "menu", "main"]
        assert len(world.launchers) == 2
        (tmp_path / "targets.yaml").write_text(TWO)
        assert await world.exporter.reload()
        assert (world.exporter.problem, len(world.launchers)) == (None, 2)


async def test_a_file_that_is_broken_from_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"targets\.yaml:1: "):
        async with exporting(tmp_path, "targets: 7"):
            need("nothing", "this is not reached")
