"""Judging an answer: is the launch well formed, fresh, and signed by the server it is said to come from?

The hash is checked with the bot's token: the one of TELEGRAM_BOT_TOKEN, or that of a sandbox in this process.
The signature needs only the server's public key, which everybody has.
Documentation: core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from flows import InitData, LaunchParams
from flows.init_data import InitDataError, UnusableKey
from launcher.inspection.stages import Check, Verdict
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp

__all__ = ["MAX_AGE", "checks_of", "server_time"]

MAX_AGE = 300.0
"""Seconds: init data that was just asked for is not older, unless a clock is wrong."""

_TELL_NOBODY = ("keyboard_button", "inline_mode")


def server_time(launcher: Launcher) -> float:
    """Seconds since 1970 by the clock that init data is dated with."""
    return launcher.sandbox.now() if launcher.sandbox else time.time()


def checks_of(launcher: Launcher, app: MiniApp, now: float | None = None) -> Iterator[Check]:
    """Every check of an app's answer, in the order in which a page's server would make them; `now` is the
    `server_time` at which it was opened, now unless given."""
    yield _well_formed(app.launch_params)
    data = app.init_data
    yield _identity(app.flow, data, app.launch_params)
    if data is not None:
        bot, now = app.app.bot.id, server_time(launcher) if now is None else now
        key = launcher.server.init_data_public_key
        yield _judged(
            "age",
            f"it was issued at most {MAX_AGE:.0f} s ago",
            lambda: data.check_age(MAX_AGE, now),
            "Set this machine's clock, or look why Telegram's answer is old.",
        )
        yield _judged(
            "signature",
            f"its Ed25519 signature fits bot {bot} and the {launcher.server.name} server's key",
            lambda: data.check_signature(bot, key),
            "Check that account, bot and server belong together (--server).",
        )
        yield _hash(launcher, bot, data)


def _well_formed(params: LaunchParams) -> Check:
    if not params.problems:
        return Check("launch parameters", Verdict.PASSED, "all of them can be read as documented")
    remedy = "Compare the fragment of the URL (--reveal) with core.telegram.org/api/bots/webapps."
    return Check("launch parameters", Verdict.FAILED, "; ".join(params.problems), remedy)


def _identity(flow: str, data: InitData | None, params: LaunchParams) -> Check:
    name = "identity"
    if flow in _TELL_NOBODY and data is None:
        return Check(name, Verdict.PASSED, f"a page opened by {flow} is not told who opened it")
    if data is not None:
        who = f"user {data.user.id}" if data.user else "no user"
        return Check(name, Verdict.PASSED, f"the page is told who opened it: {who}")
    remedy = "Read tgWebAppData with --reveal; if it is absent, look up the flow in the documentation."
    there = "unreadable" if params.raw.get("tgWebAppData") else "absent"
    return Check(name, Verdict.FAILED, f"the init data is {there}", remedy)


def _hash(launcher: Launcher, bot: int, data: InitData) -> Check:
    token = token_of(launcher, bot)
    if token is None:
        how = "Set TELEGRAM_BOT_TOKEN to the token of the app's bot."
        return Check("hash", Verdict.SKIPPED, "it needs the token of the bot", how)
    if token.partition(":")[0] != str(bot):
        how = f"Set TELEGRAM_BOT_TOKEN to the token of bot {bot}."
        return Check("hash", Verdict.SKIPPED, "TELEGRAM_BOT_TOKEN is that of another bot", how)
    return _judged(
        "hash",
        f"its hash fits the token of bot {bot}",
        lambda: data.check_hash(token),
        "Check that the token was not revoked in BotFather.",
    )


def token_of(launcher: Launcher, bot: int) -> str | None:
    setting = launcher.settings.bot_token
    if setting is not None:
        return setting.get_secret_value()
    if launcher.sandbox is None:
        return None
    known: Any = launcher.sandbox.world.get(bot)
    return getattr(known, "token", None)


def _judged(name: str, text: str, check: Callable[[], None], remedy: str) -> Check:
    try:
        check()
    except UnusableKey as reason:
        return Check(name, Verdict.SKIPPED, str(reason), remedy)
    except InitDataError as reason:
        signed = getattr(reason, "data_check_string", None)
        return Check(name, Verdict.FAILED, str(reason), remedy, signed)
    return Check(name, Verdict.PASSED, text)
