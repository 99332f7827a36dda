"""The app's page as a step looks at it: its own login, its text, its complaints, taps on it.

What Playwright cannot do with a page is the step's fault, in one line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from launcher.hosts.observations import Seen
from launcher.metapro.drive import Screen, Shown
from launcher.metapro.step import Failed
from launcher.metapro.until import until
from launcher.metapro.watch import AppWatch, Sent

__all__ = [
    "answered",
    "complaint",
    "complaints",
    "odd_calls",
    "own_login",
    "page_errors",
    "settled",
    "tap",
    "text_of",
    "until_text",
]


async def own_login(shown: Shown, seconds: float) -> Sent | None:
    """The app's Telegram login; None when it makes none in that time."""
    path = shown.login_path
    return await shown.watch.until(lambda sent: sent.service == "users" and sent.path == path, seconds)


async def answered(sent: Sent, watch: AppWatch, seconds: float) -> None:
    """Until the request has its answer, or has failed, or the time is up."""
    await watch.until(lambda one: one is sent and (one.status is not None or one.failed), seconds)


def odd_calls(shown: Shown, scheme: str) -> list[str]:
    """What is unlike the samples in the page's calls that bear a token, a sentence each."""
    bearing = [call for call in shown.watch.to("users") if "authorization" in call.headers]
    said = {call.headers["authorization"].lower().startswith("bearer ") for call in bearing}
    odd = []
    if (scheme != "bearer") in said:
        odd.append(
            f"the app sends its token {'raw' if scheme == 'bearer' else 'after Bearer'}, not as configured"
        )
    if not all(call.headers.get("x-account-userid") for call in bearing):
        odd.append("the app sends its token without x-account-userid")
    return odd


async def text_of(shown: Shown) -> str:
    """What a person can read on the page, in one line."""
    with _page():
        return " ".join((await shown.app.frame.locator("body").inner_text()).split())


async def until_text(shown: Shown, wanted: Callable[[str], bool], seconds: float) -> bool:
    """Whether the page's text comes to be so within that time."""

    async def look() -> bool:
        return wanted(await text_of(shown))

    return await until(look, seconds)


async def complaint(shown: Shown, screen: Screen, before: Collection[str] = ()) -> str:
    """What the app tells about something that went wrong, and has not told `before`; waited for, and empty
    when it tells nothing."""

    async def new() -> list[str]:
        return [text for text in await complaints(shown, screen) if text not in before]

    told = await until(new, screen.seconds)
    return told[0] if told else ""


async def complaints(shown: Shown, screen: Screen) -> list[str]:
    """Everything that the app tells now about what went wrong."""
    with _page():
        place = shown.app.frame.locator(screen.error).locator("visible=true").filter(has_text="")
        texts = [" ".join(text.split()) for text in await place.all_inner_texts()]
    return [text for text in texts if text]


async def settled(shown: Shown, quiet: float = 0.3, at_most: float = 5.0) -> None:
    """Until the page is there, and has asked nothing and waited for nothing for a while."""
    if shown.app.live is not None and shown.app.live.host is not None:
        await shown.app.live.host.loaded()

    async def undisturbed() -> bool:
        seen = len(shown.watch.sent), shown.watch.waiting
        await asyncio.sleep(quiet)
        return seen == (len(shown.watch.sent), 0)

    await until(undisturbed, at_most, glance=0.0)


async def tap(shown: Shown, selector: str, seconds: float) -> bool:
    """Tap the first visible thing of this kind; whether there was one."""
    from playwright.async_api import Error

    place = shown.app.frame.locator(selector).locator("visible=true").first
    try:
        await place.click(timeout=seconds * 1000)
    except Error:
        return False
    return True


def page_errors(shown: Shown) -> list[str]:
    """Exceptions that the page did not catch."""
    live = shown.app.live
    if live is None or live.host is None:
        return []
    return [seen.detail for seen in live.host.observations.of(Seen.PAGE_ERROR)]


@contextmanager
def _page() -> Iterator[None]:
    from playwright.async_api import Error

    try:
        yield
    except Error as failure:
        raise Failed(f"the page cannot be looked at: {failure.message.splitlines()[0]}") from None
