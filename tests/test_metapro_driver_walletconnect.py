"""Drives of an app that meets its wallet over WalletConnect, as Metapro's own does: the sample app with npm's
@walletconnect/universal-provider in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext
from pydantic import SecretStr

from launcher.metapro import CATALOGUE, DriveReport, Verdict
from launcher.sandbox.relay import Relay
from tests.metapro_pages import Stage, browser, driven, failed, load, stage
from tests.npm import installed
from tests.walletconnect_app import EIP155, NEWEST, WALLET_LINK, attest

__all__ = ["browser", "stage"]

pytestmark = pytest.mark.asyncio(loop_scope="session")
FIND = """  meet(window.ethereum);
  window.addEventListener('eip6963:announceProvider', ({ detail }) => meet(detail.provider));
  window.dispatchEvent(new Event('eip6963:requestProvider'));
"""
MEET = """    meet(window.ethereum);
    if (!provider) throw new Error(NO_WALLET);
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


class Over:
    """Drives of the app at one relay."""

    def __init__(self, relay: Relay, stage: Stage, library: str) -> None:
        self.relay, self.stage, self.library = relay, stage, library

    async def driven(
        self, *steps: str, invite: str = INVITE, project: str | None = "a-project-for-tests", **options: Any
    ) -> DriveReport:
        """A drive of the app that connects by this script."""
        script = {FIND: "", MEET: invite.replace("RELAY", self.relay.url)}

        async def loading(context: BrowserContext) -> None:
            await context.route("https://verify.walletconnect.org/**", attest)
            await load(script, context, library=self.library)

        settings = {"relay_url": self.relay.url, "relay_project": project and SecretStr(project)}
        return await driven(self.stage, *steps, loading=loading, settings=settings, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def over(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Over]:
    file = installed(request.config.cache, NEWEST) / "@walletconnect/universal-provider/dist/index.umd.js"
    async with Relay() as relay:
        yield Over(relay, stage, file.read_text("utf-8"))


def told(report: DriveReport, *steps: str) -> list[str]:
    return [f"{report[step].verdict}: {report[step].cause} {report[step].remedy}" for step in steps]


@pytest.mark.parametrize(
    "steps",
    [("W2", "W4.walletconnect.account"), pytest.param(("W1", "W2", "W4"), marks=pytest.mark.slow)],
    ids=["some", "all"],
)
async def test_an_app_goes_through_the_steps_over_walletconnect(over: Over, steps: tuple[str, ...]) -> None:
    """And the report tells neither the keys nor the topics."""
    report = await over.driven(*steps)
    assert failed(report) == {}
    made = {step.id: step.verdict for step in report.steps if step.id.startswith("W") and step.id != "W2"}
    over_walletconnect = {id for id in made if "walletconnect" in id}
    assert {id for id, verdict in made.items() if verdict is Verdict.UNVERIFIED} == over_walletconnect
    assert {
        id for id, verdict in made.items() if verdict is Verdict.SKIPPED
    } == made.keys() - over_walletconnect
    assert "connects by WalletConnect" in report["W1"].cause
    assert report["W2.walletconnect"].cause.endswith("bytes as documented, signer recovered")
    if "W4" in steps:
        assert over_walletconnect == {step.id for step in CATALOGUE if "walletconnect" in step.id}
        assert report["W4.walletconnect.rejected"].cause.startswith("tells: attaching: The user rejected")
    topics = {message.topic for message in over.relay.log}
    assert len(topics) > 5
    assert [topic for topic in topics if topic in json.dumps(report.to_json())] == []


NONE = "    throw new Error('no wallets here');"
TELLS = "      if (session) throw new Error(`no ${found.session.topic}`);\n      meet(found);"
BROKEN = {
    "neither way": (NONE, "W1", "does not ask the wallet for its account, and opens no WalletConnect link"),
    "a link that cannot be read": (
        INVITE.replace("+ uri", "+ uri.split('?')[0]"),
        "W1.walletconnect",
        "has no key (symKey)",
    ),
    "a session that is not used": (
        INVITE.replace("      meet(found);", TELLS),
        "W1.walletconnect",
        "does not show its account; it tells: wallet: no ***",
    ),
    "CAIP-10 for an address": (
        INVITE.replace(
            "      meet(found);",
            "      meet(found);\n      found.on('session_update', ({ params }) => "
            "use(params.namespaces.eip155.accounts[0]));",
        ),
        "W4.walletconnect.account",
        "eip155:…:0x…",
    ),
}


@pytest.mark.slow
async def test_a_broken_app_fails_at_its_step(over: Over) -> None:
    """Side by side, since most of them are waited for."""
    reports = await asyncio.gather(*(over.driven(step, invite=invite) for invite, step, _ in BROKEN.values()))
    for report, (_, step, words) in zip(reports, BROKEN.values(), strict=True):
        assert failed(report).keys() == {step}
        assert words in report[step].cause
        assert report[step].remedy
        assert report.exit_code == 1


@pytest.mark.slow
async def test_without_a_project_at_a_relay_both_ways_are_skipped(over: Over) -> None:
    """The app may be all right: nobody can tell."""
    report = await over.driven("W1", project=None)
    assert told(report, "W1", "W1.walletconnect") == [
        "skipped: the app does not use the wallet in front of its page: it connects by WalletConnect "
        "Set METAPRO_RELAY_PROJECT.",
        "skipped: no project at a WalletConnect relay is configured Set METAPRO_RELAY_PROJECT.",
    ]
