"""Drives of the sample Metapro app in real Chromium, as it is and broken in the ways that steps look for."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from launcher.metapro import CATALOGUE, Screen, Verdict
from tests.metapro_pages import Stage, browser, driven, failed, stage

__all__ = ["browser", "stage"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    assert link == "the app opens no WalletConnect link; it tells: wallet: there is no wallet in this browser"
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
