"""An app of the demonstration on screen: what the sample app's page is asked, and a picture of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows import FLOWS, MiniAppError
from launcher.demo.report import Check, Picture
from launcher.mini_app import MiniApp

__all__ = ["cleared", "photographed", "send_by_the_page"]


def cleared(folder: Path) -> Path:
    """The folder for the pictures, without those of an earlier demonstration. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for flow in FLOWS:
        _file(folder, flow).unlink(missing_ok=True)
    return folder


async def photographed(app: MiniApp, flow: str, folder: Path) -> tuple[Picture, list[Check]]:
    """Wait until the page has spoken with its client, and take a picture of it. Raises MiniAppError."""
    await app.ready()
    with _page_of(app):
        page = app.frame.locator("html[data-settled]")
        await page.wait_for(timeout=0)
        told = await page.get_attribute("data-flow")
        width = await app.page.evaluate("innerWidth")
    await app.screenshot(_file(folder, flow))
    unanswered = ", ".join(pending.name for pending in app.unanswered)
    button = app.device.main_button
    picture = Picture(_file(folder, flow), width, button.text if button.is_visible else None)
    return picture, [
        Check(told == flow, "the page knows by which way it was opened", str(told)),
        Check(not unanswered, "the page gets an answer to everything it asks", unanswered),
    ]


async def send_by_the_page(app: MiniApp, data: str) -> None:
    """Type data into the page and press its button. Raises MiniAppError."""
    with _page_of(app):
        await app.frame.fill("#text", data)
        await app.frame.click("#send_data")


def _file(folder: Path, flow: str) -> Path:
    return folder / f"{flow}.png"


@contextmanager
def _page_of(app: MiniApp) -> Iterator[None]:
    """What Playwright says of a page, as an error of ours."""
    from playwright.async_api import Error

    try:
        yield
    except Error as failure:
        reason = failure.message.strip().partition("\n")[0]
        raise MiniAppError(f"The page of {app.flow} cannot be used: {reason}", "Run it once more.") from None
