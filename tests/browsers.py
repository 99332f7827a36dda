"""Real Chromium for tests: one for each process, and what a page posted, awaited by name.

Each page has a context of its own and shares nothing. Tests run in the loop of the session, to which the
browser belongs: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from launcher.hosts import HostUnavailable, PageEvent
from launcher.hosts.browser import Browser
from launcher.hosts.chromium import find_chromium
from tests.conftest import need

__all__ = ["SECONDS", "Posted", "browser", "trusting"]

SECONDS = 60.0
"""How long a test waits for what must come; only a failing one waits so long."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with AsyncExitStack() as stack:
        try:
            started = await stack.enter_async_context(Browser())
        except HostUnavailable as failure:
            need("Chromium", str(failure))
        yield started


async def trusting(browser: Browser, certificate: Path) -> Path:
    """A Chromium that trusts this certificate, whoever has signed it: a script beside the certificate, which
    starts that of the fixture."""
    chromium = await find_chromium(browser.playwright.browser_type.executable_path)
    return _script(chromium, certificate)


def _script(chromium: Path, certificate: Path) -> Path:
    key = load_pem_x509_certificate(certificate.read_bytes()).public_key()
    form = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trusted = base64.b64encode(hashlib.sha256(form).digest()).decode()
    script = certificate.with_name("chromium")
    script.write_text(f'#!/bin/sh\nexec "{chromium}" "$@" --ignore-certificate-errors-spki-list={trusted}\n')
    script.chmod(0o700)
    return script


class Posted:
    """The events of one page: `on_event=posted`, then `await posted.first("web_app_ready")`."""

    def __init__(self) -> None:
        self.events: list[PageEvent] = []
        self._arrived = asyncio.Event()

    def __call__(self, event: PageEvent) -> None:
        self.events.append(event)
        self._arrived.set()

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    async def first(self, name: str) -> PageEvent:
        """The first event of this name, now or later."""
        return (await self.some(name, 1))[0]

    async def some(self, name: str, count: int) -> list[PageEvent]:
        """The first so many events of this name."""
        async with asyncio.timeout(SECONDS):
            while len(found := [event for event in self.events if event.name == name]) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return found[:count]
