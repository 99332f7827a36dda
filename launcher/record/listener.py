"""What is done in the page: heard by `page.js`, checked here, for a page may say what it likes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import Annotated, Any, Literal

from playwright.async_api import BrowserContext, Error, Frame
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from launcher.mini_app import MiniApp
from launcher.record.steps import (
    Chosen,
    Clicked,
    Entered,
    Filled,
    Locator,
    NotRecorded,
    SecretFilled,
    Step,
)

__all__ = ["Listener"]

_PAGE = files("launcher.record").joinpath("page.js").read_text("utf-8")
_PATIENCE = 5.0


class _By(BaseModel):
    kind: Literal["role", "label", "placeholder", "text", "test_id", "css"]
    value: Annotated[str, Field(min_length=1, max_length=4096)]
    role: Annotated[str, Field(max_length=64)] = ""


class _Report(BaseModel):
    what: Literal["click", "fill", "choose", "enter"]
    by: _By
    at: tuple[int, int] | None = None
    text: Annotated[str, Field(max_length=100_000)] = ""
    secret: bool = False
    values: Annotated[list[str], Field(max_length=1000)] = []


class _Lost(BaseModel):
    what: Literal["lost"]
    lost: Literal["file", "double", "menu", "drag", "key"]
    text: Annotated[str, Field(max_length=64)] = ""


_LOST = {
    "file": "a file was chosen",
    "double": "a double click",
    "menu": "a right click, or a long press",
    "drag": "something was dragged",
    "key": "a key",
}
_IN_A_FRAME = NotRecorded("something was done in a frame within the page")
_TOLD: TypeAdapter[_Report | _Lost] = TypeAdapter(_Report | _Lost)


class Listener:
    """`prepare` a browser context before its page is opened, and set `app` once it is: of what is done in
    frames within the app only that is heard. `heard` is called with each step; what is typed is told letter
    by letter. `times` is how often something was heard."""

    def __init__(self, heard: Callable[[Step], None]) -> None:
        self.app: MiniApp | None = None
        self.times = 0
        self._heard = heard

    async def prepare(self, context: BrowserContext) -> None:
        name = f"r{secrets.token_hex(8)}"
        await context.expose_binding(name, self._take)
        await context.add_init_script(f"({_PAGE})({name!r})")

    async def settled(self) -> None:
        """Until everything that was done so far has been heard; a page that hangs is not waited for."""
        with suppress(Error, TimeoutError):  # a page that has gone says nothing more
            async with asyncio.timeout(_PATIENCE):
                if self.app is not None:
                    await self.app.frame.evaluate("0")

    def _take(self, source: dict[str, Any], text: str) -> None:
        frame = source["frame"]
        if self.app is None or not _within(self.app.frame, frame):
            return
        try:
            report = _TOLD.validate_json(text)
        except ValidationError:
            return
        self.times += 1
        self._heard(_step(report) if frame == self.app.frame else _IN_A_FRAME)


def _within(app: Frame, frame: Frame | None) -> bool:
    """Whether it is the app's frame, or one in it; a web client's own page and other pages are not."""
    while frame is not None and frame != app:
        frame = frame.parent_frame
    return frame is not None


def _step(report: _Report | _Lost) -> Step:
    if isinstance(report, _Lost):
        named = report.lost == "key" and report.text.isalnum() and report.text.isascii()
        return NotRecorded(f"the key {report.text}" if named else _LOST[report.lost])
    locator = Locator(report.by.kind, report.by.value, report.by.role)
    match report.what:
        case "click":
            return Clicked(locator, report.at)
        case "enter":
            return Entered(locator)
        case "choose":
            return Chosen(locator, tuple(report.values))
        case "fill" if report.secret:
            return SecretFilled(locator)
    return Filled(locator, report.text)
