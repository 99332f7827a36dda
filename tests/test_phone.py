"""The phone as a script holds it, in real Chromium: what happens to it the page hears, and what its owner
answers when the page asks. One launcher for all tests of this module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from flows import DARK, LIGHT, BadInput, Consent, OpenParameters, Prompt
from launcher.effects import Choices
from launcher.hosting import Hosting
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.live_page import Failure
from launcher.mini_app import MiniApp
from tests.browsers import SECONDS, browser
from tests.pages import HEARING, Pages, app
from tests.running import in_own_task, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

PAGE = app(
    HEARING + "post('web_app_ready');",
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
)


@asynccontextmanager
async def setting(browser: Browser) -> AsyncIterator[Launcher]:
    async with (
        Pages({"/": PAGE}) as pages,
        launching(seconds=20 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        bot = sandbox.world.bot("demo_bot")
        assert bot.attach_menu
        bot.main_app = bot.attach_menu.url = pages.url("/")
        yield launcher


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def launcher(browser: Browser) -> AsyncIterator[Launcher]:
    async with in_own_task(setting(browser)) as launcher:
        yield launcher


@asynccontextmanager
async def shown(
    launcher: Launcher, via: str = "main_app", platform: str = "android", **options: Any
) -> AsyncIterator[MiniApp]:
    parameters = OpenParameters(platform=platform)
    options = {"host": "browser"} | options
    async with asyncio.timeout(SECONDS):
        async with launcher.open("@demo_bot", via=via, parameters=parameters, **options) as live:
            await live.ready()
            yield live


async def heard(live: MiniApp, name: str) -> Any:
    """The data of the next event of this name that the page gets."""
    return await live.frame.evaluate("name => take(name)", name)


async def ask(live: MiniApp, name: str, data: Any = None) -> None:
    await live.frame.evaluate("([name, data]) => post(name, data ?? undefined)", [name, data])


# What happens to the phone


async def test_the_page_hears_what_happens_to_the_phone(launcher: Launcher) -> None:
    async with shown(launcher) as live:
        phone = live.phone
        await phone.set_theme(DARK)
        assert (await heard(live, "theme_changed"))["theme_params"]["bg_color"] == DARK.bg_color
        await phone.set_safe_area(top=30, left=4)
        insets = {"top": 30, "bottom": 0, "left": 4, "right": 0}
        assert await heard(live, "safe_area_changed") == insets
        await phone.set_visible(False)
        assert await heard(live, "visibility_changed") == {"is_visible": False}
        await phone.set_visible(True)
        assert await heard(live, "visibility_changed") == {"is_visible": True}
        await phone.set_fullscreen(True)
        assert await heard(live, "fullscreen_changed") == {"is_fullscreen": True}
        assert (await heard(live, "content_safe_area_changed"))["top"] == live.device.controls
        await heard(live, "viewport_changed")
        await phone.set_fullscreen(False)
        await heard(live, "viewport_changed")
        await phone.set_expanded(False)
        folded = await heard(live, "viewport_changed")
        assert (folded["height"], folded["is_expanded"]) == (live.device.folded_height, False)
        await phone.permit_location(True)
        known = {"available": True, "access_requested": True, "access_granted": True}
        assert await heard(live, "location_checked") == known
        await phone.permit_biometry(False)
        assert (await heard(live, "biometry_info_received"))["access_granted"] is False
        await phone.add_to_home_screen()
        assert await heard(live, "home_screen_added") == {}
        assert live.device.home_screen.status == "added"


async def test_the_page_looks_like_the_phone(launcher: Launcher) -> None:
    async with shown(launcher) as live:
        for theme, dark in ((DARK, True), (LIGHT, False)):
            await live.phone.set_theme(theme)
            assert await live.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
        await live.phone.resize(width=400, height=600)
        assert (await heard(live, "viewport_changed"))["height"] == 600
        await live.page.wait_for_function("innerWidth === 400 && innerHeight === 600")
        await live.phone.rotate()
        assert (await heard(live, "viewport_changed"))["height"] == 400
        await live.page.wait_for_function("innerWidth === 600 && innerHeight === 400")


async def test_a_phone_is_turned_as_far_as_its_page_and_client_let_it(launcher: Launcher) -> None:
    async with shown(launcher) as live:
        async with live.expect("web_app_toggle_orientation_lock", timeout=SECONDS):
            await ask(live, "web_app_toggle_orientation_lock", {"locked": True})
        with pytest.raises(BadInput, match="locked"):
            await live.phone.rotate()
    async with shown(launcher, platform="weba") as live:
        with pytest.raises(BadInput, match="window"):
            await live.phone.rotate()
        await live.phone.resize(height=600)
        assert (await heard(live, "viewport_changed"))["height"] == 600


async def test_what_sensors_measure_is_told_while_they_run(launcher: Launcher) -> None:
    async with shown(launcher) as live:
        await ask(live, "web_app_start_accelerometer", {"refresh_rate": 1000})
        await heard(live, "accelerometer_started")
        await live.phone.measure(accelerometer=(1, 2, 3), gyroscope=(4, 5, 6))
        measured = {"x": 1, "y": 2, "z": 3}
        *_, told = live.events
        assert (told.name, told.data) == ("accelerometer_changed", measured)
        while await heard(live, "accelerometer_changed") != measured:
            pass  # the second was over before
        assert live.device.gyroscope.value == (4, 5, 6)
        assert "gyroscope_changed" not in [event.name for event in live.events]


async def test_an_event_that_is_no_json_is_refused(launcher: Launcher) -> None:
    async with shown(launcher) as live:
        with pytest.raises(BadInput, match="no JSON"):
            await live.emit("theme_changed", {"theme_params": object()})
        await live.emit("theme_changed", {"theme_params": {}})
        assert await heard(live, "theme_changed") == {"theme_params": {}}


# What its owner answers

ASKED: dict[str, tuple[str, Any, str, str, Callable[[Any], bool]]] = {
    "location": (
        "web_app_request_location", None, "location_requested", "location_requested",
        lambda data: data["available"],
    ),
    "biometry": (
        "web_app_biometry_request_access", {}, "biometry_info_received", "biometry_info_received",
        lambda data: data["access_granted"],
    ),
    "home_screen": (
        "web_app_add_to_home_screen", None, "home_screen_added", "home_screen_failed",
        lambda data: "error" not in data,
    ),
    "clipboard": (
        "web_app_read_text_from_clipboard", {"req_id": "1"}, "clipboard_text_received",
        "clipboard_text_received", lambda data: data.get("data") == "copied",
    ),
    "storage_restore": (
        "web_app_secure_storage_restore_key", {"req_id": "2", "key": "old"}, "secure_storage_key_restored",
        "secure_storage_failed", lambda data: data.get("value") == "kept",
    ),
}  # fmt: skip
"""By question: what the page sends, the names of both answers, and whether one is a yes."""


def setting_of(live: MiniApp, question: str) -> Any:
    """What on the phone holds the answer of this question."""
    return getattr(live.device, "secure_storage" if question == "storage_restore" else question)


@pytest.mark.parametrize(
    ("consent", "agrees", "yes"),
    [
        (Consent(), None, False),
        (Consent(*ASKED), None, True),
        (Consent(*ASKED), False, False),
        (Consent(), True, True),
    ],
    ids=["declined", "allowed", "allowed but not on this phone", "declined but on this phone"],
)
async def test_the_phone_answers_as_consent_says_unless_it_is_set(
    launcher: Launcher, consent: Consent, agrees: bool | None, yes: bool
) -> None:
    async with shown(launcher, "attachment_menu", consent=consent) as live:
        await live.clipboard.write("copied")
        live.device.secure_storage.restorable["old"] = "kept"
        for question, (event, data, good, bad, is_yes) in ASKED.items():
            setting_of(live, question).agrees = agrees
            await ask(live, event, data)
            assert is_yes(await heard(live, good if yes else bad)) is yes, question
        assert await live.clipboard.read() == "copied"
        assert live.unanswered == []


async def test_each_question_is_put_once_with_what_is_at_stake(launcher: Launcher) -> None:
    prompts: list[Prompt] = []

    async def answer(prompt: Prompt) -> bool:
        prompts.append(prompt)
        return True

    consent = Consent(**dict.fromkeys(ASKED, answer))
    async with shown(launcher, "attachment_menu", consent=consent) as live:
        live.device.secure_storage.restorable["old"] = "kept"
        for event, data, good, _, _ in ASKED.values():
            await ask(live, event, data)
            await heard(live, good)
        for name in ("location", "biometry"):  # granted for good; what is not there is not asked for
            event, data, good, *_ = ASKED[name]
            await ask(live, event, data)
            await heard(live, good)
        await ask(live, "web_app_secure_storage_restore_key", {"req_id": "3", "key": "none"})
        assert (await heard(live, "secure_storage_failed"))["error"] == "RESTORE_UNAVAILABLE"
    assert [prompt.questions for prompt in prompts] == [(name,) for name in ASKED]
    assert all(prompt.bot == "demo_bot" and prompt.detail for prompt in prompts)


# What goes wrong meanwhile


async def test_what_breaks_is_answered_and_kept_by_name(launcher: Launcher) -> None:
    def broken(asked: Any) -> bool:
        raise LookupError(f"no answer for {live.url}")

    consent = Consent(phone=broken, payment="allow", location=broken)
    hosting = Hosting("browser", choices=Choices(payments=broken))
    async with shown(launcher, consent=consent, hosting=hosting) as live:
        assert live.init_data is not None
        for event, data, reply, said in (
            ("web_app_request_phone", None, "phone_requested", {"status": "cancelled"}),
            ("web_app_request_location", None, "location_requested", {"available": False}),
            ("web_app_open_invoice", {"slug": "demo-stars"}, "invoice_closed",
             {"slug": "demo-stars", "status": "failed"}),
        ):  # fmt: skip
            await ask(live, event, data)
            assert await heard(live, reply) == said
            failure = live.failures[-1]
            assert failure.name == event
            assert failure.why.startswith("LookupError: no answer for http")
            assert live.init_data.hash not in repr(failure)
        assert len(live.failures) == 3
        assert live.unanswered == []
        await ask(live, "web_app_request_theme")
        assert await heard(live, "theme_changed")


async def test_a_link_that_leads_nowhere_is_kept(launcher: Launcher) -> None:
    async with shown(launcher, consent=Consent("hidden_link")) as live:
        assert live.live is not None
        failed: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        live.live.on_failure = failed.set_result
        await ask(live, "web_app_open_tg_link", {"path_full": "/nobody_is_here_bot/app"})
        assert (await failed).name == "web_app_open_tg_link"
        assert live.failures == [failed.result()]
        assert not live.is_closed
