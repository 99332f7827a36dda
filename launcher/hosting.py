"""Showing an app's page: the browser of a launcher, and everything a page needs to believe it is inside
Telegram.

One browser per launcher, started when the first page is to be shown; one fresh context per launch.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flows import LIGHT, AttachmentMenuApp, KeyboardButtonApp, MiniAppError, SideMenuApp
from flows.choosing import chosen
from launcher.beside import beside
from launcher.bridge.answers import Rights
from launcher.bridge.bridge import Bridge
from launcher.bridge.device import Button, Device
from launcher.bridge.effects import Close, Declined, Done, Effect, OpenTgLink, Outcome, SendData, SwitchInline
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
    opened: for routes, scripts, a wallet. An app that a link in the page opens is shown alike, on a phone of
    its own and without recordings; `opener` is then the app with the link.
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
    opener: MiniApp | None = field(default=None, repr=False)


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
    live = _live_page(launcher, app, hosting, await launcher._protocols())
    theme = app.parameters.theme or LIGHT
    browser = await launcher.browser()
    async with browser.open(
        app.url,
        on_event=live.take,
        on_touch=live.touched,
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


def _live_page(launcher: Launcher, app: MiniApp, hosting: Hosting, protocols: frozenset[str]) -> LivePage:
    performer = Performer(
        launcher.client, app.app.bot, app.consent, hosting.choices, launcher._random_id, launcher._repeating
    )

    async def ends(effect: Effect) -> Outcome:
        return await _end(app, hosting, effect)

    async def follows(effect: Any) -> None:
        await _follow(launcher, app, hosting, effect)

    return LivePage(_bridge(app, hosting, protocols), performer, ends, follows, LaunchSecrets(app.url).mask)


def _bridge(app: MiniApp, hosting: Hosting, protocols: frozenset[str]) -> Bridge:
    platform = app.parameters.platform if app.parameters.platform in PLATFORMS else "android"
    return Bridge(
        platform,
        hosting.device or _device(app),
        version=app.launch_params.version,
        rights=Rights(
            data=isinstance(app.app, KeyboardButtonApp),
            inline=app.app.bot.inline,
            clipboard=isinstance(app.app, AttachmentMenuApp | SideMenuApp),
            protocols=protocols,
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


async def _end(app: MiniApp, hosting: Hosting, effect: Effect) -> Outcome:
    """Do the last thing the page asked for; when it is not done, the app stays open."""
    match effect:
        case SendData():
            await app.send_data(effect.data)
        case SwitchInline():
            chat = await chosen(hosting.choices.chat, effect) if effect.chat_types else None
            if effect.chat_types and chat is None:
                return Declined("No chat was chosen.")
            await app.switch_inline(effect.query, chat, effect.chat_types)
        case Close():
            app.returns = effect.return_back
            app._close(CloseReason.APP)
            if effect.return_back and hosting.opener is not None:
                _show(hosting.opener, is_visible=True)
        case _:
            app._close(CloseReason.APP)
    return Done()


async def _follow(launcher: Launcher, app: MiniApp, hosting: Hosting, effect: OpenTgLink) -> None:
    """A link to a Mini App opens as a second live app, as if pressed unseen; the first stays open or not."""
    linked = replace(hosting, device=None, trace=None, har=None, video=None, opener=app)
    if effect.then == "minimise":
        _show(app, is_visible=False)
    try:
        app.opened.put_nowait(await launcher._opened_by_page(app, effect.url, linked))
    except BaseException:
        _show(app, is_visible=True)
        raise
    if effect.then == "close":
        app._close(CloseReason.APP)


def _show(app: MiniApp, *, is_visible: bool) -> None:
    """Minimise an app, or bring it back; nothing for one that is as wanted."""
    if app.live is not None and app.device.is_visible != is_visible:
        app.live.react(app.live.bridge.set_visible(is_visible, app.live.now()))
