"""What is done in the page: heard by `page.js`, checked here, for a page may say what it likes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from typing import Annotated, Any, Literal

from playwright.async_api import BrowserContext, Error
from pydantic import BaseModel, Field, ValidationError

from launcher.mini_app import MiniApp
from launcher.record.steps import (
    Chosen,
    Clicked,
    Entered,
    Filled,
    Locator,
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
    text: Annotated[str, Field(max_length=100_000)] = ""
    secret: bool = False
    values: Annotated[list[str], Field(max_length=1000)] = []


class Listener:
    """`prepare` a browser context before its page is opened, and set `app` once it is: only what is done in
    the app's own frame is heard. `heard` is called with each step; what is typed is told letter by letter."""

    def __init__(self, heard: Callable[[Step], None]) -> None:
        self.app: MiniApp | None = None
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
        if self.app is None or source["frame"] != self.app.frame:
            return
        try:
            report = _Report.model_validate_json(text)
        except ValidationError:
            return
        self._heard(_step(report))


def _step(report: _Report) -> Step:
    locator = Locator(report.by.kind, report.by.value, report.by.role)
    match report.what:
        case "click":
            return Clicked(locator)
        case "enter":
            return Entered(locator)
        case "choose":
            return Chosen(locator, tuple(report.values))
        case "fill" if report.secret:
            return SecretFilled(locator)
    return Filled(locator, report.text)
