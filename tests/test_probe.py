"""A check of a Mini App, in the sandbox, with real pages: stages, verdicts, requests, budget."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from flows import AccountLost
from launcher.budget import LeftAlone
from launcher.hosts.browser import Browser
from launcher.probe import Budget, Checker, CheckResult, Stage, StageResult, Status, Target, Targets
from launcher.probe.all_at_once import AT_ONCE, check_all
from launcher.probe.junit import junit
from launcher.probe.nagios import nagios
from launcher.sandbox import Sandbox
from launcher.sandbox.faults import Delay, DropBefore, Fail, FloodWait, LoseKey
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.ready_file import describe
from launcher.sandbox.site import Site
from launcher.settings import Settings
from tests.browsers import browser, trusting  # noqa: F401
from tests.exporting import PATIENCE, Time
from tests.pages import SILENT, Answer, Pages, app, certificate
from tests.running import CALM, called, calls_of, launching, let_pass

READY = app("post('web_app_ready')", body="<p id=hello>Hello &amp; welcome</p>")
HOST_DAY = 86400.0
ONCE = replace(CALM, retries=())
"""Telethon waits two seconds after each server error."""


@asynccontextmanager
async def checking(
    pages: dict[str, str | Answer], seconds: float = 120.0, browser: Browser | None = None,  # noqa: F811
    **options: Any,
) -> AsyncIterator[tuple[Checker, Sandbox, Pages]]:  # fmt: skip
    """A checker whose direct-link app and main app are the page "/"."""
    async with (
        Pages(pages) as site,
        launching(ONCE, seconds=seconds, browser=browser) as (launcher, sandbox),
    ):
        bot = sandbox.world.bot("demo_bot")
        bot.main_app = bot.apps["app"].url = site.url("/")
        yield Checker(launcher, **options), sandbox, site


def link(**said: Any) -> Target:
    return Target.model_validate({"name": "app", "link": "t.me/demo_bot/app"} | said)


def main_app(**said: Any) -> Target:
    return Target.model_validate({"name": "main", "bot": "demo_bot", "via": "main_app"} | said)


def stages(result: CheckResult) -> list[str]:
    return [str(stage.stage) for stage in result.stages]


async def test_a_check_goes_through_its_stages() -> None:
    async with checking({"/": READY}) as (checker, _, site):
        result = await checker.check(link())
        assert result.status is Status.OK, result.text
        assert stages(result) == ["parse", "resolve", "bot_app", "web_view", "navigate"]
        assert sum(stage.seconds for stage in result.stages) == pytest.approx(result.seconds, rel=0.5)
        assert all(stage.seconds > 0 for stage in result.stages)
        assert site.asked == ["/"]


async def test_a_steady_check_makes_one_request_and_a_direct_link_two() -> None:
    async with checking({"/": READY}) as (checker, sandbox, _):
        for target, requests in ((main_app(), 1), (link(), 2)):
            await checker.check(target)
            sandbox.log.clear()
            result = await checker.check(target)
            assert result.requests == len(calls_of(sandbox)) == requests == target.requests


async def test_names_are_resolved_anew_when_they_are_old_enough() -> None:
    now = [1_000_000_000.0]
    options: dict[str, Any] = {"resolve_every": HOST_DAY, "clock": lambda: now[0]}
    async with checking({"/": READY}, **options) as (checker, sandbox, _):
        checker.launcher.cache.clock = lambda: now[0]
        assert (await checker.check(main_app())).resolved_age == 0
        now[0] += HOST_DAY - 1
        assert (await checker.check(main_app())).resolved_age == HOST_DAY - 1
        now[0] += 2
        assert (await checker.check(main_app())).resolved_age == 0
        assert calls_of(sandbox, "contacts.resolveUsername") == ["contacts.resolveUsername"] * 2


async def test_the_age_of_a_name_is_remembered_across_runs() -> None:
    async with checking({"/": READY}) as (checker, _, _):
        await checker.check(main_app())
        cache = checker.launcher.cache
        assert type(cache).from_json(cache.to_json()).resolved == cache.resolved != {}


TELEGRAM_S = [
    ("contacts.resolveUsername", FloodWait(77), Status.UNKNOWN, Stage.RESOLVE),
    ("contacts.resolveUsername", Fail(400, "USERNAME_NOT_OCCUPIED"), Status.CRITICAL, Stage.RESOLVE),
    ("messages.getBotApp", Fail(400, "BOT_APP_INVALID"), Status.CRITICAL, Stage.BOT_APP),
    ("messages.requestAppWebView", Fail(403, "BOT_WEBVIEW_DISABLED"), Status.CRITICAL, Stage.WEB_VIEW),
    ("messages.requestAppWebView", Fail(500, "INTERNAL"), Status.UNKNOWN, Stage.WEB_VIEW),
    ("messages.requestAppWebView", LoseKey(), Status.UNKNOWN, Stage.WEB_VIEW),
    ("messages.requestAppWebView", Delay(3600), Status.UNKNOWN, Stage.WEB_VIEW),
]


@pytest.mark.parametrize(("method", "fault", "status", "stage"), TELEGRAM_S)
async def test_what_telegram_refuses_is_told_apart_from_what_was_not_tested(
    method: str, fault: Any, status: Status, stage: Stage
) -> None:
    async with checking({"/": READY}) as (checker, sandbox, _):
        sandbox.faults.on(method, fault, times=None)
        checking_it = asyncio.create_task(checker.check(link(timeout=20)))
        if isinstance(fault, Delay):
            await called(sandbox, method)
            let_pass(20)
        result = await checking_it
        assert (result.status, result.failed and result.failed.stage) == (status, stage), result.text
        assert result.flood_wait == (77 if method == "contacts.resolveUsername" and stage is Stage.RESOLVE
                                     and status is Status.UNKNOWN else None)  # fmt: skip
        assert result.text.count("\n") == 0
        assert result.failed
        assert result.failed.remedy


async def test_a_dead_network_says_nothing_of_the_app() -> None:
    async with checking({"/": READY}) as (checker, sandbox, _):
        await checker.check(link())
        sandbox.faults.on("*", DropBefore(), times=None)
        result = await checker.check(link(timeout=2))
        assert result.status is Status.UNKNOWN, result.text


async def test_a_bot_is_no_chat_to_join_and_not_down() -> None:
    async with checking({"/": READY}) as (checker, _, _):
        result = await checker.check(link(link="t.me/demo_bot", via="chat_join"))
        assert (result.status, "Only channels" in result.text) == (Status.UNKNOWN, True)


async def test_a_question_that_nobody_has_allowed_says_nothing_of_the_app() -> None:
    side = {"bot": "side_bot", "via": "side_menu", "host": "none"}
    async with checking({"/": READY}) as (checker, _, _):
        result = await checker.check(main_app(**side))
        assert (result.status, "say allow: disclaimer (of a link" in result.text) == (Status.UNKNOWN, True)
        result = await checker.check(main_app(**side, allow=["disclaimer", "installation"]))
        assert result.status is Status.OK, result.text


PAGE_S = [
    ({"status": 404}, Answer("gone", 404), Status.OK, ""),
    ({}, Answer("gone", 404), Status.CRITICAL, "status 404"),
    ({"status": 200}, Answer("gone", 404), Status.CRITICAL, "status 404, expected 200"),
    ({"text": "Hello & welcome"}, READY, Status.OK, ""),
    ({"text": "Bye"}, READY, Status.CRITICAL, 'the text "Bye" is not in the page'),
    ({"final_host": "127.0.0.1"}, READY, Status.OK, ""),
    ({"final_host": "shop.example"}, READY, Status.CRITICAL, "on 127.0.0.1, expected shop.example"),
    ({"sdk": True}, READY, Status.CRITICAL, "no known Mini App library"),
    ({"sdk": True}, "<script src=/telegram-web-app.js></script>", Status.OK, ""),
    ({"certificate_days": 30}, READY, Status.WARNING, "no certificate to judge, expected one that is valid"),
    ({"within": "1ms"}, READY, Status.WARNING, "expected within 0.001 s"),
    ({"init_data": True}, READY, Status.OK, ""),
    ({"init_data": ["hash", "signature", "age", "form"]}, READY, Status.OK, ""),
    ({}, SILENT, Status.CRITICAL, "nothing came within 20 s"),
    ({}, Answer("", 302, {"Location": "/"}), Status.CRITICAL, "in a circle"),
]


@pytest.mark.parametrize(("expect", "page", "status", "words"), PAGE_S, ids=range(len(PAGE_S)))
async def test_a_page_is_held_against_what_was_expected(
    expect: dict[str, Any], page: Any, status: Status, words: str
) -> None:
    async with checking({"/": page}) as (checker, _, site):
        checking_it = asyncio.create_task(checker.check(link(expect=expect, timeout=20)))
        if page is SILENT:
            await site.arrived.wait()
            let_pass(20)
        result = await checking_it
        assert (result.status, words in result.text) == (status, True), result.text


@pytest.mark.asyncio(loop_scope="session")
async def test_an_app_that_is_no_page_is_down(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, browser=browser) as (checker, sandbox, _):
        for url in ("ftp://shop.example/", "https://", "https://[::1"):
            for host in ("http", "browser"):
                sandbox.world.bot("demo_bot").apps["app"].url = url
                result = await checker.check(link(host=host))
                assert (result.status, "Check the URL of the" in result.text) == (Status.CRITICAL, True), url


async def test_the_proofs_of_init_data_are_held_against_the_bot() -> None:
    async with checking({"/": READY}) as (checker, sandbox, _):
        checker.launcher.settings = Settings(
            server="sandbox", bot_token=f"{sandbox.world.bot('demo_bot').id}:wrong", _env_file=None
        )
        result = await checker.check(link(host="none", expect={"init_data": "hash"}))
        assert result.status is Status.CRITICAL
        assert "hash: " in result.text


async def test_a_proof_that_cannot_be_made_is_unknown_if_it_is_asked_for_by_its_name() -> None:
    async with checking({"/": READY}) as (checker, _, _):
        checker.launcher.settings = Settings(server="sandbox", bot_token="1:of-another-bot", _env_file=None)
        for wanted, status in (("hash", Status.UNKNOWN), ("signature", Status.OK), (True, Status.OK)):
            result = await checker.check(link(host="none", expect={"init_data": wanted}))
            assert result.status is status, result.text
            assert status is Status.OK or "hash not checked: " in result.text


async def test_a_flow_without_identity_has_no_init_data_to_check() -> None:
    async with checking({"/": READY}) as (checker, _, _):
        target = main_app(via="keyboard_button", button="Order", host="none", expect={"init_data": "age"})
        result = await checker.check(target)
        assert result.status is Status.CRITICAL
        assert "age: the flow keyboard_button brings no init data" in result.text


async def test_a_certificate_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    tls, authority = certificate(tmp_path, timedelta(days=5))
    async with Pages({"/": READY}, tls) as site, launching() as (launcher, sandbox):
        sandbox.world.bot("demo_bot").apps["app"].url = site.url("/")
        checker = Checker(launcher, trust=ssl.create_default_context(cafile=str(authority)))
        result = await checker.check(link(expect={"certificate_days": 14}))
        assert result.status is Status.WARNING
        assert "valid for 5.0 more days" in result.text
        assert result.certificate_days == pytest.approx(5, abs=0.01)
        assert (await checker.check(link(expect={"certificate_days": 3}))).status is Status.OK


# Metapro


@asynccontextmanager
async def watching_metapro(browser: Browser | None = None, **switches: Any) -> AsyncIterator[Checker]:  # noqa: F811
    """A checker of the sample app, against a stand-in with these switches turned."""
    async with launching(ONCE, browser=browser) as (launcher, sandbox):
        async with (
            MetaproStandIn(sandbox, Switches(**switches)) as metapro,
            Site(sandbox, metapro=metapro) as site,
        ):
            yield Checker(launcher, ready=describe(sandbox, site))


METAPRO = {"bot": "metapro_demo_bot", "metapro": True}


async def test_a_warning_of_the_page_hides_no_metapro_that_is_down() -> None:
    async with watching_metapro(auth_scheme="bearer") as checker:
        result = await checker.check(main_app(**METAPRO, expect={"certificate_days": 30}))
        statuses = [stage.status for stage in result.stages[-2:]]
        assert statuses == [Status.WARNING, Status.CRITICAL]
        assert "K1 (metapro-auth)" in result.text


@pytest.mark.parametrize(
    ("switches", "status", "words"),
    [
        ({}, Status.OK, ""),
        ({"auth_scheme": "bearer"}, Status.CRITICAL, "K1 (metapro-auth)"),
        ({"outages": {"leaderboard": "unavailable"}}, Status.CRITICAL, "C1.leaderboard (network)"),
    ],
)
async def test_metapro_is_the_last_stage_and_names_the_step_that_failed(
    switches: dict[str, Any], status: Status, words: str
) -> None:
    async with watching_metapro(**switches) as checker:
        result = await checker.check(main_app(**METAPRO))
        assert (result.status, words in result.text) == (status, True), result.text
        assert stages(result)[-1] == "metapro"
        steps = {step["id"]: step["verdict"] for step in result.metapro}
        assert {"C0", "T1", "L1", "K1", "U1", "B1"} <= set(steps)


async def test_a_metapro_that_is_not_configured_was_not_tested(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # without a .env
    async with checking({"/": READY}) as (checker, _, _):
        result = await checker.check(main_app(metapro=["C0"]))
        assert result.status is Status.UNKNOWN
        assert "METAPRO_PROJECT_ID" in result.text


# In a browser

in_browser = pytest.mark.asyncio(loop_scope="session")
"""For tests that use the browser of the process."""


async def test_what_keeps_others_from_showing_a_page_is_for_who_asked_them() -> None:
    """PostgreSQL is away, say: the check is made again and is no result."""

    async def away(*_: Any) -> None:
        raise ConnectionError

    async with checking({"/": READY}, show=away) as (checker, _, _):
        with pytest.raises(ConnectionError):
            await checker.check(link(host="browser"))


@in_browser
async def test_metapro_is_driven_in_the_page_that_is_shown(browser: Browser) -> None:  # noqa: F811
    """Not loaded anew for it, which would be a second login with init data that are good for one."""
    async with watching_metapro(browser, init_data_reuse=False) as checker:
        target = main_app(**METAPRO | {"host": "browser", "metapro": ["L1", "L1.app"]})
        result = await checker.check(target)
        assert result.status is Status.OK, result.text
        assert stages(result)[-3:] == ["navigate", "ready", "metapro"]
        steps = {step["id"]: step["verdict"] for step in result.metapro}
        assert steps["L1"] == steps["L1.app"] == "unverified"


@in_browser
async def test_metapro_was_not_tested_when_telegram_wants_to_be_left_alone_meanwhile(
    browser: Browser,  # noqa: F811
) -> None:
    """The step opens the app again, on another platform."""
    async with watching_metapro(browser) as checker:
        checker.budget = Budget(60)
        assert checker.launcher.sandbox is not None
        checker.launcher.sandbox.faults.on("messages.requestMainWebView", FloodWait(3600), times=None, skip=1)
        result = await checker.check(main_app(**METAPRO | {"host": "browser", "metapro": ["T2"]}))
        assert (stages(result)[-1], result.status) == ("metapro", Status.UNKNOWN), result.text
        assert result.flood_wait == 3600
        assert checker.budget.paused_for > 3500


@in_browser
async def test_a_page_is_watched_until_it_is_as_expected(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, browser=browser) as (checker, _, _):
        expect = {"selector": "#hello", "text": "welcome", "ready_within": "20s", "status": 200}
        result = await checker.check(link(host="browser", expect=expect))
        assert result.status is Status.OK, result.text
        assert stages(result)[-2:] == ["navigate", "ready"]
        assert result.screenshot is None

        wanted = {
            "the element #nothing was not seen within 8 s": {"selector": "#nothing"},
            'the text "Bye" was not seen within 8 s': {"selector": "#hello", "text": "Bye"},
        }
        checks = (checker.check(link(host="browser", timeout=8, expect=one)) for one in wanted.values())
        for result, words in zip(await asyncio.gather(*checks), wanted, strict=True):
            assert (result.status, result.failed and result.failed.stage) == (Status.CRITICAL, Stage.READY)
            assert words in result.text
        assert result.screenshot
        assert result.screenshot.startswith(b"\x89PNG")


LATE = app("while (performance.now() < 400) ; post('web_app_ready')")
"""Ready as soon as it has loaded, which takes so many milliseconds."""
MISBEHAVING: list[tuple[Any, dict[str, Any], Status, str]] = [
    (app(), {}, Status.WARNING, "did not send web_app_ready"),
    (app(), {"ready_within": "200ms"}, Status.CRITICAL, "did not send web_app_ready within 0.4 s"),
    (LATE, {"ready_within": "350ms"}, Status.WARNING, "ready after"),
    (app("post('web_app_close')"), {}, Status.CRITICAL, "closed (app"),
    (Answer("no", 503), {}, Status.CRITICAL, "status 503"),
    (app("for (;;) ;"), {}, Status.CRITICAL, "nothing came within 3 s"),
    (SILENT, {}, Status.CRITICAL, "within 3 s"),
]


@in_browser
async def test_a_page_that_misbehaves_is_named(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, seconds=200, browser=browser) as (checker, _, site):
        for page, expect, status, words in MISBEHAVING:
            site.pages["/"] = page
            timeout = 3 if words.endswith("3 s") else 12 if page == app() and not expect else 20
            result = await checker.check(link(host="browser", timeout=timeout, expect=expect))
            assert (result.status, words in result.text) == (status, True), (words, result.text)


@in_browser
async def test_a_page_without_a_certificate_is_a_warning_in_a_browser_too(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, browser=browser) as (checker, _, _):
        result = await checker.check(link(host="browser", expect={"certificate_days": 14}))
        assert (result.status, stages(result)[-1]) == (Status.WARNING, "ready")
        assert "there is no certificate to judge" in result.text


@in_browser
async def test_a_certificate_that_ends_soon_hides_no_page_that_is_down(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
) -> None:
    tls, authority = certificate(tmp_path, timedelta(days=5))
    expect = {"certificate_days": 14}
    async with (
        Browser(executable=await trusting(browser, authority)) as own,
        Pages({"/": READY}, tls) as site,
        launching(seconds=60, browser=own) as (launcher, sandbox),
    ):
        sandbox.world.bot("demo_bot").apps["app"].url = site.url("/")
        checker = Checker(launcher)
        for platform in ("android", "weba"):
            result = await checker.check(link(host="browser", platform=platform, expect=expect))
            assert (result.status, stages(result)[-1]) == (Status.WARNING, "ready"), result.text
            assert "navigate: the certificate is valid for 5.0 more days, expected 14" in result.text
            assert result.certificate_days == pytest.approx(5, abs=0.01)
        site.pages["/"] = app("post('web_app_close')")
        result = await checker.check(link(host="browser", expect=expect))
        assert (result.status, "closed (app" in result.text) == (Status.CRITICAL, True), result.text
        async with launching(seconds=60, browser=browser) as (launcher, sandbox):
            sandbox.world.bot("demo_bot").apps["app"].url = site.url("/")
            result = await Checker(launcher).check(link(host="browser"))
            assert (result.status, "certificate is not valid" in result.text) == (Status.CRITICAL, True)


@in_browser
async def test_a_selector_that_is_none_says_nothing_of_the_app(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, browser=browser) as (checker, _, _):
        result = await checker.check(link(host="browser", expect={"selector": "##"}))
        assert (stages(result)[-1], result.status) == ("ready", Status.UNKNOWN)
        assert result.text.endswith("Look at expect.selector.")


async def test_without_a_browser_nothing_is_asked_of_telegram(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "none"))
    async with checking({"/": READY}) as (checker, sandbox, _):
        result = await checker.check(link(host="browser"))
        assert (result.status, result.requests) == (Status.UNKNOWN, 0)
        assert calls_of(sandbox, "contacts.resolveUsername") == []
        assert "CHROMIUM_PATH does not name a program" in result.text


@in_browser
async def test_a_page_on_a_dead_host_does_not_load(browser: Browser) -> None:  # noqa: F811
    async with checking({"/": READY}, browser=browser) as (checker, sandbox, _):
        async with Pages({"/": READY}) as gone:
            sandbox.world.bot("demo_bot").apps["app"].url = gone.url("/")
        for expect in ({}, {"status": 404}):
            result = await checker.check(link(host="browser", expect=expect))
            assert (stages(result)[-1], result.status) == ("navigate", Status.CRITICAL)
            assert "the page did not load" in result.text


@in_browser
async def test_a_browser_that_dies_is_started_again_and_the_check_repeated(browser: Browser) -> None:  # noqa: F811
    """The checker's own; `browser` only says whether there is one. The page of a web client is gone before
    its browser is."""
    async with checking({"/": SILENT}) as (checker, _, site):
        launcher = checker.launcher
        before = await launcher.browser()
        process = await _process_of(before)
        checked = asyncio.create_task(checker.check(link(host="browser", platform="weba")))
        await site.arrived.wait()
        site.pages["/"] = READY
        os.kill(process, signal.SIGKILL)
        result = await checked
        assert (result.status, result.repeated) == (Status.OK, True), result.text
        assert await launcher.browser() is not before


@pytest.mark.slow
async def test_a_browser_that_dies_again_is_not_the_apps_fault(browser: Any) -> None:  # noqa: F811
    """The check is repeated once and no more, and says that the app was not tested."""
    async with checking({"/": SILENT}) as (checker, sandbox, site):
        checked = asyncio.create_task(checker.check(link(host="browser")))
        for _ in range(2):
            await site.arrived.wait()
            site.arrived.clear()
            os.kill(await _process_of(await checker.launcher.browser()), signal.SIGKILL)
        result = await checked
        assert (result.status, result.repeated) == (Status.UNKNOWN, True)
        assert "the browser ended" in result.text
        assert len(calls_of(sandbox, "messages.requestAppWebView")) == 2


async def _process_of(chromium: Browser) -> int:
    devtools = await chromium.playwright.new_browser_cdp_session()
    processes = (await devtools.send("SystemInfo.getProcessInfo"))["processInfo"]
    return next(int(process["id"]) for process in processes if process["type"] == "browser")


# Budget


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    async def wait(self, seconds: float) -> None:
        self.now += seconds


async def test_a_budget_lets_so_many_requests_pass_in_a_minute() -> None:
    clock = Clock()
    budget = Budget(60, clock=lambda: clock.now, wait=clock.wait)
    for _ in range(150):
        await budget.take(2)
    assert clock.now == pytest.approx((300 - 15) * 1.0)


async def test_what_was_asked_beyond_is_waited_for_and_a_flood_wait_obeyed() -> None:
    clock = Clock()
    budget = Budget(60, clock=lambda: clock.now, wait=clock.wait)
    budget.spend(15)
    await budget.take(1)
    assert clock.now == pytest.approx(1)
    budget.pause(40)
    assert budget.paused_for == 40
    await budget.take(1)
    assert clock.now == pytest.approx(41)


async def test_a_clock_that_jumps_back_does_not_stop_a_budget() -> None:
    clock = Clock()
    budget = Budget(60, clock=lambda: clock.now, wait=clock.wait)
    clock.now = -1_000.0
    await budget.take(15)
    await budget.take(1)
    assert clock.now == -999


def test_a_small_budget_has_requests_enough_for_any_check() -> None:
    assert (Budget(1).most, Budget(40).most) == (4, 10)


async def test_a_flood_wait_pauses_the_account() -> None:
    clock = Clock()
    budget = Budget(600, clock=lambda: clock.now, wait=clock.wait)
    async with checking({"/": READY}, budget=budget) as (checker, sandbox, _):
        sandbox.faults.on("contacts.resolveUsername", FloodWait(90))
        result = await checker.check(link())
        assert (result.flood_wait, budget.paused_for) == (90, 90)
        asked = len(calls_of(sandbox))
        left_alone = await checker.check(link(timeout=80))
        assert (left_alone.status, "left alone for 90" in left_alone.text) == (Status.UNKNOWN, True)
        assert (clock.now, len(calls_of(sandbox))) == (0, asked)
        await checker.check(link(timeout=100))
        assert clock.now == 90


async def test_a_longer_flood_wait_is_not_cut_short_by_a_shorter_one() -> None:
    clock = Clock()
    budget = Budget(60, clock=lambda: clock.now, wait=clock.wait)
    budget.pause(100)
    budget.pause(10)
    assert budget.paused_for == 100


async def test_who_waits_is_told_of_a_flood_wait_that_is_too_long_for_him() -> None:
    time = Time()
    budget = Budget(60, clock=time, wait=time.wait)
    budget.spend(20)
    hasty, hastier, patient = (asyncio.create_task(budget.take(1, patience=one)) for one in (30, 5, 3600))
    await time.waited.wait()
    for pause, who in ((20, hastier), (40, hasty)):
        budget.pause(pause)
        budget.pause(10)
        with pytest.raises(LeftAlone, match=f"for {pause} more seconds"):
            await asyncio.wait_for(who, PATIENCE)
    with pytest.raises(LeftAlone):
        await budget.take(1, patience=30)
    assert not patient.done()
    time.go(40)
    await patient
    assert budget.left == pytest.approx(14)


async def test_who_wants_little_does_not_get_it_before_who_has_waited() -> None:
    time = Time()
    budget = Budget(60, clock=time, wait=time.wait)
    budget.spend(13)
    much = asyncio.create_task(budget.take(4))
    await time.waited.wait()
    little = asyncio.create_task(budget.take(1))
    time.waited.clear()
    time.go(2)
    done, _ = await asyncio.wait((much, little), return_when=asyncio.FIRST_COMPLETED)
    assert done == {much}
    await time.waited.wait()
    time.go(1)
    await little


async def test_a_check_that_waits_for_its_turn_ends_when_telegram_wants_to_be_left_alone() -> None:
    time = Time()
    budget = Budget(60, clock=time, wait=time.wait)
    async with checking({"/": READY}, budget=budget) as (checker, sandbox, _):
        budget.spend(20)
        waiting = asyncio.create_task(checker.check(link()))
        await time.waited.wait()
        budget.pause(3600)
        result = await asyncio.wait_for(waiting, PATIENCE)
        assert (result.status, result.requests) == (Status.UNKNOWN, 0)
        assert calls_of(sandbox, "contacts.resolveUsername") == []
        assert "left alone for 3600" in result.text


async def test_the_requests_of_a_cold_check_are_all_counted() -> None:
    budget = Budget(60, clock=lambda: 0.0)
    async with checking({"/": READY}, budget=budget) as (checker, _, _):
        for requests, left in ((3, 12), (2, 10)):
            assert (await checker.check(link())).requests == requests
            assert budget.left == left


# Many at once, and how results are written


async def test_a_flood_wait_leaves_no_target_waiting() -> None:
    settings = Settings(server="sandbox", _env_file=None)
    async with Sandbox() as sandbox:
        sandbox.faults.on("messages.requestMainWebView", FloodWait(3600), times=None)
        targets = Targets(targets=tuple(main_app(name=name, host="none") for name in "abcdefgh"))
        results = await check_all(settings, targets, account="alice", sandbox=sandbox)
    assert {result.status for result in results} == {Status.UNKNOWN}
    told = [result.flood_wait for result in results]
    assert told == [3600.0] * AT_ONCE + [None] * 4


async def test_a_defect_ends_one_check_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the second target, which comes after the first."""
    settings = Settings(server="sandbox", _env_file=None)

    def broken(report: CheckResult) -> None:
        if report.target == "a":
            monkeypatch.setattr("launcher.probe.checking.judge_init_data", None)

    async with Sandbox() as sandbox:
        targets = Targets(targets=(main_app(name="a", host="none"), main_app(name="b", host="none")))
        monkeypatch.setattr("launcher.probe.all_at_once.AT_ONCE", 1)
        results = await check_all(settings, targets, account="alice", sandbox=sandbox, told=broken)
    assert [result.status for result in results] == [Status.OK, Status.UNKNOWN]
    assert "a defect of this program (TypeError)" in results[1].text


async def test_an_account_that_cannot_be_used_leaves_the_others_alone() -> None:
    settings = Settings(server="sandbox", _env_file=None)
    async with Pages({"/": READY}) as site, Sandbox() as sandbox:
        sandbox.world.bot("demo_bot").apps["app"].url = site.url("/")
        targets = Targets(
            targets=(
                link(name="a", account="alice"),
                link(name="b", account="nobody"),
                link(name="c", account="alice"),
            )
        )
        told: list[str] = []
        results = await check_all(
            settings, targets, sandbox=sandbox, told=lambda one: told.append(one.target)
        )
        assert [result.status for result in results] == [Status.OK, Status.UNKNOWN, Status.OK]
        assert [result.target for result in results] == ["a", "b", "c"]
        assert sorted(told) == ["a", "b", "c"]


async def test_an_account_that_is_lost_makes_its_targets_unknown() -> None:
    async with checking({"/": READY}) as (checker, sandbox, _):
        sandbox.faults.on("messages.requestAppWebView", Fail(401, "AUTH_KEY_UNREGISTERED"))
        assert (await checker.check(link())).status is Status.UNKNOWN
        again = await checker.check(link())
        assert again.status is Status.UNKNOWN
        with pytest.raises(AccountLost):
            async with checker.launcher.open("t.me/demo_bot/app"):
                pass


def result(name: str, *stages: StageResult) -> CheckResult:
    from datetime import UTC, datetime

    return CheckResult(name, stages, datetime(2026, 1, 1, tzinfo=UTC), 0.25, certificate_days=30.0)


FINE = StageResult(Stage.PARSE, Status.OK, 0.25)
SLOW = StageResult(Stage.READY, Status.WARNING, 0.25, "ready after 9 s")
DOWN = StageResult(Stage.NAVIGATE, Status.CRITICAL, 0.25, "a | b", "Look.")
UNTESTED = StageResult(Stage.RESOLVE, Status.UNKNOWN, 0.25, "flood \x00wait")


def test_nagios_reads_one_line_and_the_gravest_status() -> None:
    assert nagios([result("shop", FINE)]) == (
        "MINIAPP OK - shop: 0.25 s | time=0.250s;;;0 parse=0.250s;;;0 certificate=30.0"
    )
    first, *others = nagios([result("a", FINE), result("b", SLOW), result("c", UNTESTED)]).split("\n")
    assert first.startswith("MINIAPP UNKNOWN - 3 targets: 1 OK, 1 WARNING, 1 UNKNOWN | a=0.250s")
    assert others[1] == "MINIAPP WARNING - b: ready: ready after 9 s."
    assert nagios([result("a", UNTESTED), result("b", DOWN)]).startswith("MINIAPP CRITICAL")
    assert "navigate: a / b. Look. | time" in nagios([result("b", DOWN)])


def test_a_junit_file_has_a_case_for_each_target() -> None:
    kinds = {"a": FINE, "b": DOWN, "c": UNTESTED, "d": DOWN}
    [suite] = ElementTree.fromstring(junit([result(*each) for each in kinds.items()]).encode())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    told = [[child.tag for child in case] for case in suite]
    assert told == [["system-out"], ["failure"], ["error"], ["failure"]]
