"""Drives of the sample Metapro app in real Chromium, as it is and broken in the ways that steps look for."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Route
from pydantic import SecretStr

from flows import OpenParameters
from launcher.hosting import Hosting
from launcher.hosts import HostUnavailable
from launcher.launcher import Launcher
from launcher.metapro import CATALOGUE, DriveReport, MetaproDriver, Screen, Verdict
from launcher.metapro.drive import Prepare
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.site import Site
from launcher.settings import Settings
from tests.conftest import need
from tests.metapro_drives import APP, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCRIPT = (files("launcher.sandbox") / "sample_app" / "metapro.js").read_text("utf-8")
PATIENT = Screen(seconds=20.0)


@dataclass
class Stage:
    sandbox: Sandbox
    metapro: MetaproStandIn
    launcher: Launcher


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """A sandbox with the sample app and the stand-in, an account, and its browser."""
    settings = Settings(server="sandbox", _env_file=None)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox())
        metapro = await stack.enter_async_context(MetaproStandIn(sandbox))
        await stack.enter_async_context(Site(sandbox, metapro=metapro))
        launcher = await stack.enter_async_context(Launcher(settings, "alice", sandbox=sandbox))
        try:
            await launcher.browser()
        except HostUnavailable as failure:
            need("Chromium", str(failure))
        yield Stage(sandbox, metapro, launcher)


async def driven(
    stage: Stage,
    *steps: str,
    broken: dict[str, str] | None = None,
    loading: Prepare | None = None,
    switches: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    trace: Path | None = None,
    screen: Screen = PATIENT,
    **options: Any,
) -> DriveReport:
    """A drive of the sample app, with these texts of its script replaced, and these switches turned.
    `loading` prepares each page in place of that."""
    stage.metapro.switches = Switches(**switches or {})
    changed = loading or partial(load, broken or {})

    def opened(
        *, platform: str | None = None, prepare: Prepare | None = None, shown: bool = True
    ) -> AbstractAsyncContextManager[MiniApp]:
        async def first(context: BrowserContext) -> None:
            for one in (changed, prepare):
                if one is not None:
                    await one(context)

        return stage.launcher.open(
            APP, start_param="friend", parameters=OpenParameters(platform or "android"),
            hosting=Hosting("browser", prepare=first) if shown else None,
        )  # fmt: skip

    driver = MetaproDriver(
        settings_for(stage.metapro, **settings or {}), steps=steps, relaunch=opened, now=stage.sandbox.now,
        screen=screen, patience=60.0, **options,
    )  # fmt: skip

    async def prepare(context: BrowserContext) -> None:
        await changed(context)
        await driver.prepare(context)

    hosting = Hosting("browser", prepare=prepare, trace=trace)
    async with stage.launcher.open(APP, start_param="friend", hosting=hosting) as app:
        return await driver.drive(app)


async def load(changes: dict[str, str], context: BrowserContext, *, library: str = "") -> None:
    """Let the page load the sample app's script with these texts replaced, after a library."""
    script = SCRIPT
    for text, other in changes.items():
        assert text in script
        script = script.replace(text, other)

    async def serve(route: Route) -> None:
        await route.fulfill(body=library + script, content_type="text/javascript")

    if changes:
        await context.route("**/metapro.js", serve)


def failed(report: DriveReport) -> dict[str, str]:
    return {step.id: step.cause for step in report.steps if step.verdict is Verdict.FAIL}


async def test_the_sample_app_goes_through_the_steps(stage: Stage, tmp_path: Path) -> None:
    """And neither the report nor the trace tells the token or the launch."""
    trace = tmp_path / "trace.zip"
    usual = [step.id for step in CATALOGUE if step.id not in ("D1.users", "D1.nft")]
    relay = {"relay_project": SecretStr("a-project-for-tests")}
    report = await driven(stage, *usual, trace=trace, negative=True, settings=relay)
    assert failed(report) == {}
    skipped = {step.id for step in report.steps if step.verdict is Verdict.SKIPPED}
    over_walletconnect = {step.id for step in CATALOGUE if "walletconnect" in step.id}
    assert skipped == {"W3", "X1", "X2", "D1.teams", "D1.referral", "S2", *over_walletconnect}
    link = report["W1.walletconnect"].cause
    assert link.startswith("the app opens no WalletConnect link; it tells: wallet: there is no wallet")
    assert report.exit_code == 0
    assert "android: works; ios: works; tdesktop: warns" in report["T2"].cause
    assert report["X3"].cause.startswith("1 login after the 401")
    tokens = list(stage.metapro.accounts.tokens)
    with zipfile.ZipFile(trace) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    assert "/v2/auth/telegram/login/simple" in told
    assert tokens
    assert [token for token in tokens if token in told + json.dumps(report.to_json())] == []


@pytest.mark.slow
async def test_the_sample_app_copes_with_every_service_down(stage: Stage) -> None:
    report = await driven(stage, "D1")
    assert failed(report) == {}
    assert report["D1.users"].verdict is report["D1.nft"].verdict is Verdict.UNVERIFIED


GATE = "element(state === 'gated' ? 'gate' : 'app').hidden = false;"
BEGIN = "await Promise.all([signIn(), showLeaderboard(), meetConnectedWallet()]);"
BROKEN = {
    "init data changed": (
        {"telegramSimpleString: rawInitData": "telegramSimpleString: `${rawInitData}&x=1`"},
        ["L1.app", "L1"],
        ("L1.app", "byte for byte"),
    ),
    "start parameter dropped": (
        {"        referralCode,\n": ""},
        ["T3"],
        ("T3", "does not reach the login"),
    ),
    "blank on desktops": (
        {GATE: f"if (state === 'gated') document.body.replaceChildren(); else {GATE}"},
        ["T2"],
        ("T2", "on tdesktop the page stays blank"),
    ),
    "a loop on 401": (
        {"problem.status !== 401 || !again": "problem.status !== 401"},
        ["X3"],
        ("X3", "a loop"),
    ),
    "token in the console": (
        {"know(account);\n": "know(account); console.log(session.token);\n"},
        ["S1"],
        ("S1", "in the console"),
    ),
    "another text signed": (
        {"`Request ID ${hash}`": "`Request ID: ${hash}`"},
        ["W2"],
        ("W2.app", "five lines"),
    ),
}
SLOWLY_BROKEN = {
    "deaf to the wallet": (
        {"provider.on?.('accountsChanged'": "void ('accountsChanged'"},
        ["W4.account"],
        ("W4.account", "old account"),
    ),
    "silent about faults": (
        {"items('error', [...problems.values()]);": ""},
        ["D1.leaderboard"],
        ("D1.leaderboard", "tells nothing"),
    ),
    "login behind the leaderboard": (
        {BEGIN: "await showLeaderboard(); if (!problems.size) await signIn();"},
        ["D2"],
        ("D2", "does not log in"),
    ),
}


@pytest.mark.parametrize(
    ("broken", "steps", "expected"),
    [
        *(pytest.param(*case, id=name) for name, case in BROKEN.items()),
        *(pytest.param(*case, id=name, marks=pytest.mark.slow) for name, case in SLOWLY_BROKEN.items()),
    ],
)
async def test_a_broken_app_fails_at_its_step(
    stage: Stage, broken: dict[str, str], steps: list[str], expected: tuple[str, str]
) -> None:
    step, words = expected
    report = await driven(stage, *steps, broken=broken, screen=Screen(seconds=4.0))
    assert failed(report).keys() == {step}
    assert words in report[step].cause
    assert report[step].remedy
    assert report.exit_code == 1


async def test_a_token_that_the_app_shows_is_struck_out_before_its_words_are_cut_short(stage: Stage) -> None:
    telling = {"`${what}: ${problem}`": "`${'.'.repeat(352)}${session?.token}`"}
    report = await driven(stage, "X3", broken=telling)
    told = json.dumps(report.to_json())
    assert "then it tells: ......" in report["X3"].cause
    assert [token for token in stage.metapro.accounts.tokens if token[:6] in told] == []


@pytest.mark.slow
async def test_an_app_that_sends_its_token_in_another_way_is_told_so(stage: Stage) -> None:
    other = {"authorization: token, 'x-account-userid': userId": "authorization: `Bearer ${token}`"}
    early = {BEGIN: "session = { token: 'x' }; await me(); session = null; " + BEGIN}
    report = await driven(stage, "X3", broken=other | early)
    assert "before it logs in" in report["L1.app"].warnings[0]
    for step in ("L1.app", "X3"):
        assert report[step].warnings[-2:] == (
            "the app sends its token after Bearer, not as configured",
            "the app sends its token without x-account-userid",
        )


ON_LOAD = {
    "element('attach').disabled = !wallet;": "if (wallet && !begun) { begun = 1; await logIn(); attach(); }",
    "let wallet = null;": "let wallet = null; let begun = false;",
}


@pytest.mark.parametrize("allowed", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_what_an_app_attaches_on_its_own_is_not_written_unless_allowed(
    stage: Stage, tmp_path: Path, allowed: bool
) -> None:
    """And what it is told of the person and signs is in no recording."""
    trace, now = tmp_path / "trace.zip", len(stage.metapro.log)
    alice = stage.metapro.accounts.log_in_by_telegram({"id": _alice(stage), "first_name": "A"}, None)
    alice.details |= {"email": "alice.canary@mail.example", "birthDate": "1990-01-02"}
    report = await driven(stage, "S1", broken=ON_LOAD, trace=trace, settings={"allow_writes": allowed})
    assert failed(report) == {}
    attached = [line.status for line in list(stage.metapro.log)[now:] if line.endpoint == "new_address"]
    assert attached == ([201] if allowed else [])
    with zipfile.ZipFile(trace) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    assert "/v2/auth/web3/new-address" in told, "the app should have tried"
    assert re.findall("0x[0-9a-f]{130}|alice.canary|1990-01-02", told) == []


def _alice(stage: Stage) -> int:
    return stage.sandbox.world.user("alice").id


async def test_a_key_in_the_page_is_a_warning(stage: Stage) -> None:
    report = await driven(stage, "B3", switches={"page_has_leaderboard_key": True})
    assert report["B3"].verdict is Verdict.PASS
    assert len(report["B3"].warnings) == 2
    assert report.exit_code == 0


async def test_a_service_that_pages_may_not_read_fails_the_apps_login_alone(stage: Stage) -> None:
    report = await driven(stage, "L1", switches={"cors": False})
    assert failed(report).keys() == {"L1.app"}
    assert report["L1"].verdict is Verdict.UNVERIFIED
