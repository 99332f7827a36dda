"""Drives of an app that meets its wallet over WalletConnect, as Metapro's own does: the sample app with npm's
@walletconnect/universal-provider in it."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext
from pydantic import SecretStr

from launcher.metapro import DriveReport, Screen, Verdict
from launcher.sandbox.relay import Relay
from tests.npm import installed
from tests.test_metapro_driver_browser import PATIENT, Stage, driven, failed, load, stage
from tests.walletconnect_app import EIP155, NEWEST, WALLET_LINK, attest

__all__ = ["stage"]

pytestmark = pytest.mark.asyncio(loop_scope="module")
HASTY = Screen(seconds=4.0)
FIND = """  meet(window.ethereum);
  window.addEventListener('eip6963:announceProvider', ({ detail }) => meet(detail.provider));
  window.dispatchEvent(new Event('eip6963:requestProvider'));
"""
MEET = """    meet(window.ethereum);
    if (!provider) throw new Error('there is no wallet in this browser');
"""
LINK = "post('web_app_open_link', { url: 'WALLET_LINK' + uri })".replace("WALLET_LINK", WALLET_LINK)
INVITE = """    if (!provider) {
      const { UniversalProvider } = window['@walletconnect/universal-provider'];
      const metadata = { name: 'sample', description: 'an app', url: location.origin, icons: [] };
      const found = await UniversalProvider.init({
        relayUrl: 'RELAY', projectId: 'tests', telemetryEnabled: false, logger: 'silent', metadata,
      });
      found.on('display_uri', (uri) => OPEN_LINK);
      await found.connect({ namespaces: { eip155: EIP155 } });
      meet(found);
    }
""".replace("EIP155", json.dumps(EIP155)).replace("OPEN_LINK", LINK)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as relay:
        yield relay


async def driven_over(
    relay: Relay,
    stage: Stage,
    cache: pytest.Cache,
    *steps: str,
    broken: dict[str, str] | None = None,
    **options: Any,
) -> DriveReport:
    """A drive of the app over the relay, with these texts of what it has for WalletConnect replaced."""
    script = INVITE.replace("RELAY", relay.url)
    others = {}
    for text, other in (broken or {}).items():
        if text in script:
            script = script.replace(text, other)
        else:
            others[text] = other
    file = installed(cache, NEWEST) / "@walletconnect/universal-provider/dist/index.umd.js"
    library = file.read_text("utf-8")

    async def loading(context: BrowserContext) -> None:
        await context.route("https://verify.walletconnect.org/**", attest)
        await load({FIND: "", MEET: script, **others}, context, library=library)

    settings = {"relay_url": relay.url, "relay_project": SecretStr("a-project-for-tests")}
    return await driven(
        stage, *steps, loading=loading, settings=settings | options.pop("settings", {}), **options
    )


async def test_an_app_goes_through_the_steps_over_walletconnect(
    relay: Relay, stage: Stage, request: pytest.FixtureRequest
) -> None:
    report = await driven_over(relay, stage, request.config.cache, "W1", "W2", "W4")
    for step in report.steps:
        print(step.id, step.verdict, step.cause, round(step.seconds, 2))
    assert failed(report) == {}
