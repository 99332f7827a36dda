"""Showing an app's page: the browser of a launcher, and everything a page needs to believe it is inside
Telegram.

One browser per launcher, started when the first page is to be shown; one fresh context per launch.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flows import LIGHT, AttachmentMenuApp, KeyboardButtonApp, MiniAppError, SideMenuApp
from launcher.beside import beside
from launcher.bridge.answers import Rights
from launcher.bridge.bridge import Bridge
from launcher.bridge.device import Button, Device
from launcher.bridge.effects import Close, Effect, OpenTgLink, SendData, SwitchInline
from launcher.bridge.platforms import PLATFORMS
from launcher.effects import Choices, Performer
from launcher.hosts.http import look
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.hosts.observations import HostEndReason, HostUnavailable, Limits
from launcher.hosts.profiles import profile_for
from launcher.live_page import LivePage
from launcher.mini_app import CloseReason, MiniApp

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from launcher.hosts.browser_host import BrowserHost
    from launcher.launcher import Launcher

__all__ = ["Hosting", "Kind", "hosted"]

Kind = Literal["browser", "http"]


@dataclass(frozen=True, slots=True)
class Hosting:
    """How a page is shown.

    `device` is the phone (a fresh one by default), `choices` what its owner chooses and pays. `faithful`
    reproduces the platform's known silences, `paced` its rules on clicks and floods. `sdk` is a file
    served in place of the official script. `trace`, `har` and `video` are written when the app is left,
    without the launch's secrets. `prepare` is given the page's fresh browser context before the page is
    opened: for routes, scripts, a wallet.
    """

    kind: Kind
    device: Device | None = None
    choices: Choices = field(default_factory=Choices)
    faithful: bool = False
    paced: bool = False
    sdk: Path | None = None
    trace: Path | None = None
    har: Path | None = None
    video: Path | None = None
    limits: Limits | None = None
    timeout: float = 30.0
    prepare: Callable[[BrowserContext], Awaitable[None]] | None = None


@asynccontextmanager
async def hosted(launcher: Launcher, app: MiniApp, hosting: Hosting) -> AsyncIterator[None]:
    """Show the app's page while the block runs; what happens to the page closes the app with a reason.

    Raises MiniAppError when there is no browser, or it cannot show the page.
    """
    try:
        if hosting.kind == "http":
            app.http = await look(app.url, timeout=hosting.timeout)
            yield
        else:
            async with _in_browser(launcher, app, hosting):
                yield
    except HostUnavailable as failure:
        raise MiniAppError("The app's page cannot be shown.", str(failure)) from None


@asynccontextmanager
async def _in_browser(launcher: Launcher, app: MiniApp, hosting: Hosting) -> AsyncIterator[None]:
    live = _live_page(launcher, app, hosting)
    theme = app.parameters.theme or LIGHT
    browser = await launcher.browser()
    async with browser.open(
        app.url,
        on_event=live.take,
        platform=app.parameters.platform,
        dark=theme.color_scheme == "dark",
        same_origin=app.web_view.same_origin,
        limits=hosting.limits,
        sdk=hosting.sdk,
        timeout=hosting.timeout,
        trace=hosting.trace,
        har=hosting.har,
        video=hosting.video,
        prepare=hosting.prepare,
    ) as host:
        live.host = host
        app.live = live
        async with beside(live.run(), _watch(app, host)):
            yield


async def _watch(app: MiniApp, host: BrowserHost) -> None:
    """The end of the page is the end of the app."""
    end = await host.closed()
    if end.reason is not HostEndReason.CALLER:
        app.host_end = end
        app._close(CloseReason.APP if end.reason is HostEndReason.PAGE else CloseReason.HOST_GONE)


def _live_page(launcher: Launcher, app: MiniApp, hosting: Hosting) -> LivePage:
    performer = Performer(launcher.client, app.app.bot, app.consent, hosting.choices, launcher._random_id)

    async def ends(effect: Effect) -> None:
        await _end(app, hosting, effect)

    async def follows(effect: Any) -> None:
        await _follow(launcher, app, hosting, effect)

    return LivePage(_bridge(app, hosting), performer, ends, follows, LaunchSecrets(app.url).mask)


def _bridge(app: MiniApp, hosting: Hosting) -> Bridge:
    platform = app.parameters.platform if app.parameters.platform in PLATFORMS else "android"
    return Bridge(
        platform,
        hosting.device or _device(app),
        version=app.launch_params.version,
        rights=Rights(
            data=isinstance(app.app, KeyboardButtonApp),
            inline=app.app.bot.inline,
            clipboard=isinstance(app.app, AttachmentMenuApp | SideMenuApp),
        ),
        faithful=hosting.faithful,
        paced=hosting.paced,
    )


def _device(app: MiniApp) -> Device:
    """A phone of the launch's platform, in its theme, with the app in the mode Telegram answered with.

    Of an app with settings the SDKs take the button for shown, and do not ask for it.
    """
    profile = profile_for(app.parameters.platform)
    theme = app.parameters.theme or LIGHT
    settings = Button("settings button", is_visible=app.launch_params.show_settings)
    return Device(
        theme=json.loads(theme.to_json()),
        width=profile.width,
        height=profile.height,
        is_expanded=app.web_view.fullsize or app.web_view.fullscreen,
        is_fullscreen=app.web_view.fullscreen,
        settings_button=settings,
    )


async def _end(app: MiniApp, hosting: Hosting, effect: Effect) -> None:
    """Do the last thing the page asked for."""
    match effect:
        case SendData():
            await app.send_data(effect.data)
        case SwitchInline():
            chat = hosting.choices.chat(effect) if effect.chat_types else None
            await app.switch_inline(effect.query, chat, effect.chat_types)
        case Close():
            app.returns = effect.return_back
            app._close(CloseReason.APP)
        case _:
            app._close(CloseReason.APP)


async def _follow(launcher: Launcher, app: MiniApp, hosting: Hosting, effect: OpenTgLink) -> None:
    """A link to a Mini App opens as a second live app, as if pressed unseen; the first stays open or not."""
    opened = await launcher._opened_by_page(app, effect.url, hosting)
    app.opened.put_nowait(opened)
    if effect.then == "close":
        app._close(CloseReason.APP)
    elif effect.then == "minimise" and app.live is not None:
        app.live.react(app.live.bridge.set_visible(False))
