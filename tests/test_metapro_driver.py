"""Drives with something wrong before Metapro is reached, sessions that outlive their token, and secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows import BadInput, InitData, LaunchParams
from flows.init_data import PRODUCTION_PUBLIC_KEY
from launcher.launcher import Launcher
from launcher.metapro import (
    ASSUMPTIONS,
    CATALOGUE,
    SERVICES,
    DriveReport,
    Launch,
    Layer,
    MetaproClient,
    MetaproDriver,
    MetaproSettings,
    NeedsLaunch,
    Outcome,
    StepResult,
    Verdict,
    Wallet,
    print_report,
    sign_in_message,
)
from launcher.metapro.drive import Drive, reopening
from launcher.metapro.redaction import Redaction
from launcher.metapro.schedule import Schedule
from launcher.metapro.step import Failed, Found, Run, Skip, Step
from launcher.metapro.steps.wallet import _check
from launcher.sandbox import Sandbox
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.settings import Settings
from tests.metapro_drives import (
    APP,
    BOT_TOKEN,
    Clock,
    People,
    driver_for,
    long_run,
    people,
    settings_for,
    standing_in,
)

OTHER_TOKEN = f"{BOT_TOKEN.partition(':')[0]}:another-token-of-the-same-bot-0000000"


@pytest.fixture(scope="module")
def cast() -> People:
    return people()


async def driven(launch: Launch | None, clock: Clock | None = None, **options: Any) -> DriveReport:
    clock = clock or Clock()
    async with standing_in(clock) as metapro:
        return await driver_for(metapro, clock, **options).drive(launch)


def printed(report: DriveReport) -> str:
    console = Console(file=StringIO(), width=400)
    print_report(report, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def failed(report: DriveReport) -> list[str]:
    return [step.id for step in report.steps if step.verdict is Verdict.FAIL]


# The catalogue


def test_every_step_depends_on_earlier_steps_and_known_assumptions() -> None:
    seen: set[str] = set()
    for step in CATALOGUE:
        assert step.id not in seen
        seen.add(step.id)
    ids = {step.id for step in CATALOGUE}
    assert {name for step in CATALOGUE for name in step.after} <= ids
    assert {step.assumption for step in CATALOGUE} - {""} == set(ASSUMPTIONS)
    families = "C0 C1 T1 T2 T3 L1 L2 L3 K1 W1 W2 W3 W4 U1 U2 B1 B2 X1 X2 X3 X4 D1 D2 B3 S1 S2"
    assert list(dict.fromkeys(step.family for step in CATALOGUE)) == families.split()


async def test_chosen_steps_bring_what_they_depend_on(cast: People) -> None:
    report = await driven(cast.alice, steps=["U1"])
    assert [step.id for step in report.steps] == [
        "C0", "C0.registration", "C1.users", "T1", "L1", "K1", "U1",
    ]  # fmt: skip


async def test_a_part_of_a_family_can_be_chosen(cast: People) -> None:
    report = await driven(cast.alice, steps=["W4.walletconnect"])
    names = ["rejected", "account", "chain", "disconnect"]
    ids = [step.id for step in report.steps if step.id.startswith("W")]
    assert ids == ["W1.walletconnect", *(f"W4.walletconnect.{name}" for name in names)]


def test_a_step_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="no step Z9"):
        MetaproDriver(MetaproSettings(_env_file=None), steps=["Z9"])


# The report


def result(verdict: Verdict, id: str = "U2", layer: Layer = Layer.METAPRO_DATA) -> StepResult:
    return StepResult(id, "a step", layer, verdict)


@pytest.mark.parametrize(
    ("steps", "outcome", "code", "strictly"),
    [
        ([result(Verdict.PASS)], "pass", 0, 0),
        ([result(Verdict.PASS), result(Verdict.UNVERIFIED)], "unverified", 0, 1),
        ([result(Verdict.FAIL), result(Verdict.UNVERIFIED)], "fail", 1, 1),
        ([result(Verdict.PASS), result(Verdict.FAIL, layer=Layer.CONFIG)], "untested", 3, 3),
        ([result(Verdict.PASS), result(Verdict.SKIPPED, "L1")], "untested", 3, 3),
        ([result(Verdict.FAIL), result(Verdict.SKIPPED, "L1")], "fail", 1, 1),
        ([result(Verdict.SKIPPED)], "untested", 3, 3),
        ([], "untested", 3, 3),
    ],
)
def test_the_exit_code(steps: list[StepResult], outcome: str, code: int, strictly: int) -> None:
    report = DriveReport(tuple(steps), 0.0, "test")
    assert (report.outcome, report.exit_code) == (outcome, code)
    assert replace(report, strict=True).exit_code == strictly


# The configuration and the launch


@pytest.mark.parametrize(
    ("settings", "step", "words", "code"),
    [
        ({"project_id": None}, "C0", "METAPRO_PROJECT_ID", 3),
        ({"users_url": "https://api.metaproprotocol.com/users-service"}, "C0", "METAPRO_USERS_URL", 3),
        ({"relay_url": "https://relay.example"}, "C0", "METAPRO_RELAY_URL", 3),
        ({"bot_name": "demo_bot"}, "C0.registration", "METAPRO_BOT_NAME", 3),
        ({"bot_token": SecretStr(f"1{BOT_TOKEN}")}, "C0.registration", "METAPRO_BOT_TOKEN", 3),
        ({"bot_token": SecretStr(OTHER_TOKEN)}, "T1", "hash", 1),
        ({"max_auth_age": 0.001}, "T1", "fresh launch", 1),
        ({"project_id": "another"}, "L1", "Project not found", 1),
        ({"leaderboard_id": "another"}, "B1", "leaderboard not found", 1),
        ({"chain_ids": (1,)}, "U2", "56", 1),
        ({"users_url": "http://127.0.0.1:1/users"}, "C1.users", "refused", 1),
        ({"users_url": "http://nobody.invalid/users", "nft_url": None}, "C0", "set all addresses", 3),
    ],
)
async def test_what_is_wrong_is_named_where_it_is_wrong(
    cast: People, settings: dict[str, Any], step: str, words: str, code: int
) -> None:
    clock = Clock()
    async with standing_in(clock) as metapro:
        report = await driver_for(metapro, clock, settings=settings).drive(cast.alice)
        asked = len(metapro.log)
    assert failed(report) == [step]
    assert words in f"{report[step].cause} {report[step].remedy}"
    assert f"✗ {step} ({report[step].layer}): " in printed(report)
    assert report.exit_code == code
    assert report[step].remedy
    if step == "C0":
        assert asked == 0, "something was sent although the configuration is wrong"
        assert all(one.verdict is Verdict.SKIPPED for one in report.steps if one.id != "C0")


async def test_a_launch_that_tells_nobody_is_told_apart(cast: People) -> None:
    report = await driven(cast.nobody)
    assert failed(report) == []
    assert report["T1"].verdict is report["L1"].verdict is report["K1"].verdict is Verdict.SKIPPED
    assert "keyboard_button" in report["T1"].cause
    assert "main_app" in report["T1"].remedy
    assert (
        report["K1"].cause
        == "because T1 was skipped: a launch by keyboard_button does not tell the app who opened it"
    )
    assert report["B1"].verdict is Verdict.PASS
    assert (report.outcome, report.exit_code) == (Outcome.UNTESTED, 3)
    table = printed(report)
    assert "main_app, chat_join" in table, "somebody at a terminal should be told, too"
    assert "(Ask for it with --long.)" in table


async def test_a_launch_url_alone_will_do(cast: People) -> None:
    assert cast.alice.url is not None
    bare = Launch.from_url(cast.alice.url)
    report = await driven(bare)
    unproven = await driven(bare, settings={"bot_token": None})
    assert unproven["T1"].verdict is Verdict.UNVERIFIED
    assert "hash not checked" in unproven["T1"].cause
    assert report["C0.registration"].verdict is Verdict.SKIPPED
    assert report["T1"].verdict is Verdict.PASS
    assert report["L1"].verdict is Verdict.SKIPPED
    named = Launch.from_url(cast.alice.url, bot_name="metapro_demo_bot")
    assert (await driven(named))["L1"].verdict is Verdict.UNVERIFIED


async def test_a_second_person_whose_launch_is_old_is_not_tried(cast: People) -> None:
    assert cast.bob.url is not None
    old = Launch.from_url(re.sub(r"auth_date%3D\d+", "auth_date%3D1000000", cast.bob.url))
    report = await driven(cast.alice, steps=["S2"], companion=old)
    assert report["S2"].verdict is Verdict.SKIPPED
    assert "needs a new launch" in report["S2"].cause


async def test_the_name_of_a_bot_is_written_in_any_way(cast: People) -> None:
    report = await driven(cast.alice, steps=["C0"], settings={"bot_name": "@Metapro_Demo_BOT"})
    assert report["C0.registration"].verdict is Verdict.PASS


async def test_without_a_launch_only_the_services_are_looked_at() -> None:
    report = await driven(None)
    assert failed(report) == []
    assert report["C1.users"].verdict is report["B1"].verdict is Verdict.PASS
    assert report.exit_code == 3


async def test_init_data_of_another_telegram_fail_at_telegram(cast: People) -> None:
    report = await driven(replace(cast.alice, public_key=PRODUCTION_PUBLIC_KEY))
    assert failed(report) == ["T1"]
    assert "Ed25519 signature" in report["T1"].cause
    assert report["L1"].verdict is Verdict.SKIPPED


async def test_init_data_that_cannot_be_read_fail_at_telegram(cast: People) -> None:
    broken = LaunchParams.parse("https://a.example/#tgWebAppData=auth_date%3D1&tgWebAppVersion=8.0")
    report = await driven(replace(cast.alice, params=broken, url=None))
    assert failed(report) == ["T1"]
    assert report["T1"].layer is Layer.TELEGRAM


# A Metapro that is wrong


class Bent(httpx.AsyncHTTPTransport):
    """Changes the stand-in's answers to one path: `bend` gets the request and the JSON that was answered,
    and returns what is told, with another status if it likes."""

    def __init__(self, path: str, bend: Callable[[httpx.Request, Any], tuple[int, Any]]) -> None:
        super().__init__()
        self._path, self._bend = path, bend

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if self._path not in request.url.path:
            return answer
        await answer.aread()
        status, content = self._bend(request, answer.json())
        return httpx.Response(answer.status_code if status == SAME else status, json=content)


SAME = 0
Change = Callable[[httpx.Request, Any], tuple[int, Any]]
Bend = tuple[str, Change]
LOGIN = "/v2/auth/telegram/login/simple"
ONE_WALLET = {"addresses": [{"wallet": "0x" + "cd" * 20}]}
WRONG: list[tuple[str, str, str, Callable[[], Change]]] = [
    ("L2", LOGIN, "another Metapro ID",
     lambda: lambda _, told: (SAME, told | {"account": {"userId": uuid4().hex}})),
    ("L2", LOGIN, "404", lambda: _from_the_second_on(lambda told: (404, {}))),
    ("K1", "/me", "without a token",
     lambda: lambda asked, told: (SAME if "authorization" in asked.headers else 200, told)),
    ("U1", "/profile/", "another Metapro ID", lambda: lambda _, told: (SAME, told | {"userId": "another"})),
    ("U1", "/profile/", "different wallets", lambda: lambda _, told: (SAME, told | ONE_WALLET)),
    ("X4", "/me", "knows another person",
     lambda: _from_the_second_on(lambda told: (SAME, told | {"userId": "another"}))),
    ("S2", "-service/", "share a token", lambda: _one_for_all),
    ("S2", "-service/", "mixed up", lambda: _swaps()),
    ("S2", "/me", "share a wallet", lambda: lambda _, told: (SAME, told | ONE_WALLET)),
    ("W3", "/new-address", "does not have", lambda: lambda _, told: (SAME, told | {"addresses": []})),
    ("B2", "/score-total/leaderboard/", "500",
     lambda: lambda asked, told: (SAME if _has_key(asked) else 500, told)),
]  # fmt: skip


def _from_the_second_on(change: Callable[[Any], tuple[int, Any]]) -> Change:
    """What goes well is answered well once."""
    went_well = 0

    def bend(_: httpx.Request, told: Any) -> tuple[int, Any]:
        nonlocal went_well
        went_well += "statusCode" not in told
        return change(told) if went_well > 1 and "statusCode" not in told else (SAME, told)

    return bend


def _swaps() -> Change:
    """Once two people are logged in, each token is the other's."""
    known: dict[str, dict[str, str]] = {}

    def bend(_: httpx.Request, told: Any) -> tuple[int, Any]:
        if "account" in told:
            known[told["account"]["userId"]] = told["account"]
        elif len(known) == 2 and told.get("userId") in known:
            return SAME, next(one for id, one in known.items() if id != told["userId"])
        return SAME, told

    return bend


def _one_for_all(asked: httpx.Request, told: Any) -> tuple[int, Any]:
    """Everybody is the same person, with the same token."""
    one = {"userId": "1", "addresses": []}
    if asked.url.path.endswith(LOGIN):
        return SAME, {"account": one, "token": {"accessToken": "t" * 9}}
    return (200, one) if "authorization" in asked.headers else (SAME, told)


def _has_key(asked: httpx.Request) -> bool:
    return not asked.headers.get("leaderboardApiKey", "not-").startswith("not-")


@pytest.mark.parametrize(("step", "path", "words", "bend"), WRONG)
async def test_a_metapro_that_is_wrong_fails_at_its_step(
    cast: People, step: str, path: str, words: str, bend: Callable[[], Change]
) -> None:
    clock = Clock()
    async with standing_in(clock) as metapro:
        driver = driver_for(
            metapro, clock, steps=[step], companion=cast.bob, settings={"allow_writes": True},
            transport=Bent(path, bend()),
        )  # fmt: skip
        report = await driver.drive(cast.alice)
    assert failed(report) == [step]
    assert words in report[step].cause
    assert report.exit_code == 1


def _too_many(path: str, text: str = "") -> Bend:
    """Requests whose body has this text meet a service that wants fewer."""
    busy = {"statusCode": 429, "message": "Too Many Requests"}
    return path, lambda asked, told: (429, busy) if text in asked.content.decode() else (SAME, told)


def _too_many_without_key() -> Bend:
    return "/score-total/leaderboard/", lambda asked, told: (SAME if _has_key(asked) else 429, told)


def _refused(path: str, status: int) -> Bend:
    return path, lambda *_: (status, {"statusCode": status, "message": "no"})


REMEDIES: list[tuple[str, dict[str, Any], Bend | None, Layer, str]] = [
    ("K1", {"token_lifetime": 0.0}, None, Layer.METAPRO_AUTH, "TOKEN_PATH"),
    ("K1", {}, _too_many("/me"), Layer.NETWORK, "Ask less often"),
    ("K1", {}, ("/me", lambda asked, told: (SAME, told | {"userId": "another"})), Layer.METAPRO_AUTH, "else"),
    ("L3.project", {"refuse_unknown_project": False}, None, Layer.METAPRO_AUTH, "project that there is not"),
    ("L3.old", {"max_auth_age": None}, None, Layer.METAPRO_AUTH, "for ever"),
    ("L3.bot", {}, _too_many(LOGIN, "nobody_has_this_bot"), Layer.NETWORK, "Ask less often"),
    ("W3", {"hash_lifetime": 0.0}, None, Layer.METAPRO_AUTH, "hash may be too old"),
    ("W3", {}, _too_many("/new-address"), Layer.NETWORK, "Ask less often"),
    ("B2", {}, _too_many_without_key(), Layer.NETWORK, "Ask less often"),
    ("B1", {}, _refused("/score-total/leaderboard/", 401), Layer.METAPRO_DATA, "METAPRO_LEADERBOARD_KEY"),
]


@pytest.mark.parametrize(("step", "switches", "bent", "layer", "words"), REMEDIES)
async def test_the_remedy_is_one_for_what_was_found(
    cast: People, step: str, switches: dict[str, Any], bent: Bend | None, layer: Layer, words: str
) -> None:
    clock = Clock()
    async with standing_in(clock, **switches) as metapro:
        driver = driver_for(
            metapro, clock, steps=[step], negative=True, settings={"allow_writes": True},
            transport=None if bent is None else Bent(*bent),
        )  # fmt: skip
        report = await driver.drive(cast.alice)
    assert failed(report) == [step]
    assert report[step].layer is layer
    assert words in report[step].remedy


@pytest.mark.parametrize(
    ("switches", "told", "warnings"),
    [
        ({}, "wrong key: 200, missing key: 200", ("reads of the leaderboard are open",)),
        ({"leaderboard_reads": "key", "leaderboard_refusal": 403}, "wrong key: 403, missing key: 403", ()),
        (
            {"leaderboard_reads": "key", "errors": "html"},
            "wrong key: 401, missing key: 401",
            tuple(f"the answer to a {kind} key does not say what is wrong" for kind in ("wrong", "missing")),
        ),
    ],
)
async def test_the_answer_to_a_bad_key_is_told(
    switches: dict[str, Any], told: str, warnings: tuple[str, ...]
) -> None:
    async with standing_in(Clock(), **switches) as metapro:
        report = await driver_for(metapro, Clock(), steps=["B2"]).drive(None)
    assert (report["B2"].cause, report["B2"].warnings) == (told, warnings)


async def test_what_was_answered_when_a_wallet_is_attached_is_told(cast: People) -> None:
    async with standing_in(Clock(), success=200) as metapro:
        driver = driver_for(metapro, Clock(), steps=["W3"], settings={"allow_writes": True})
        assert (await driver.drive(cast.alice))["W3"].http_status == 200


# What an app has signed

OTHERS = "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{right}", ""),
        ("0xff", "no text"),
        ("{right}\n", "five lines"),
        ("hello, sign this", "'hello, sign this'"),
        (sign_in_message(OTHERS, "a-hash-0123"), OTHERS),
        ("{other_hash}", "another hash than Metapro issued"),
    ],
)
async def test_what_an_app_has_signed_is_the_documented_text_and_told_if_it_is_not(
    text: str, why: str
) -> None:
    wallet = Wallet()
    known = {name: sign_in_message(wallet.address, f"{name}-hash") for name in ("right", "other")}
    asked = text.format(right=known["right"], other_hash=known["other"])
    await wallet.answer("personal_sign", [asked, wallet.address])
    if not why:
        _check(wallet.requests[-1], {"right-hash"})
        return
    with pytest.raises(Failed) as fault:
        _check(wallet.requests[-1], {"right-hash"})
    assert why in fault.value.cause


async def test_a_signature_of_somebody_else_is_no_proof() -> None:
    wallet, other = Wallet(), Wallet()
    text = sign_in_message(wallet.address, "a-hash-0123")
    await wallet.answer("personal_sign", [text, wallet.address])
    signed = await other.answer("personal_sign", [text, other.address])
    wallet.requests[-1].result = SecretStr(signed)
    with pytest.raises(Failed, match="does not lead back"):
        _check(wallet.requests[-1], {"a-hash-0123"})


# The token


async def test_a_token_that_never_counts_is_no_loop(cast: People) -> None:
    clock = Clock()
    async with standing_in(clock, token_lifetime=0.0) as metapro:
        driver = driver_for(metapro, clock)
        async with driver.keeping(cast.alice) as kept:
            await kept.ended.wait()
        asked = [line.endpoint for line in metapro.log]
    assert asked == ["telegram_login", "me", "telegram_login", "me"]
    assert "401" in str(kept.failure)


async def test_a_session_is_kept_alive_past_the_life_of_its_token(cast: People) -> None:
    clock = Clock(waits=20)
    async with standing_in(clock, token_lifetime=1000.0, sliding=False) as metapro:
        async with driver_for(metapro, clock).keeping(cast.alice) as kept:
            await clock.stands.wait()
    assert (kept.times, kept.failure) == (20, None)
    assert kept.logins == 4, "one login for each token that has died"


async def test_a_session_is_kept_as_often_as_is_configured(cast: People) -> None:
    clock = Clock(waits=3)
    began = clock()
    async with standing_in(clock) as metapro:
        async with driver_for(metapro, clock, settings={"keep_alive": 100.0}).keeping(cast.alice):
            await clock.stands.wait()
    assert clock() - began == pytest.approx(300)


async def test_a_session_whose_init_data_are_too_old_asks_for_a_new_launch(cast: People) -> None:
    clock = Clock()
    async with standing_in(clock, token_lifetime=1000.0, sliding=False) as metapro:
        driver = driver_for(metapro, clock, settings={"max_auth_age": 900.0})
        async with driver.keeping(cast.alice) as kept:
            await kept.ended.wait()
    assert isinstance(kept.failure, NeedsLaunch)
    assert kept.logins == 0, "init data that are too old should not be sent"
    assert "Open the app again" in kept.failure.remedy


async def test_a_drive_can_hold_the_session(cast: People) -> None:
    clock = Clock(waits=3)
    async with standing_in(clock) as metapro:
        report = await driver_for(metapro, clock, steps=["L1"]).drive(cast.alice, hold=clock.stands.wait)
        asked = [line.endpoint for line in metapro.log]
    assert report["L1"].verdict is Verdict.UNVERIFIED
    assert asked.count("me") == 3
    assert report["kept"].cause == "3 calls, 0 new logins"


class Beats(Clock):
    """Tells of each beat of a session that is kept, and waits for ever for what takes hours."""

    def __init__(self, on_beat: Callable[[int], None] = lambda _: None, waits: int = 1_000_000) -> None:
        super().__init__(waits)
        self.on_beat, self.beats = on_beat, 0

    async def wait(self, seconds: float) -> None:
        if seconds > 3600:
            await asyncio.Future[None]()
        if seconds == 240.0:
            self.beats += 1
            self.on_beat(self.beats)
        await super().wait(seconds)


async def test_a_held_session_that_is_lost_fails_the_drive_at_once(cast: People) -> None:
    """The token dies, and the init data are too old for another."""
    clock = Beats()
    async with standing_in(clock, token_lifetime=1000.0, sliding=False) as metapro:
        driver = driver_for(metapro, clock, steps=["L1"], settings={"max_auth_age": 900.0})
        report = await asyncio.wait_for(driver.drive(cast.alice, hold=10_000.0), 60)
    assert failed(report) == ["kept"]
    assert (report["kept"].layer, report.exit_code) == (Layer.TELEGRAM, 1)
    assert "Open the app again" in report["kept"].remedy


async def test_a_session_that_was_held_for_less_than_a_beat_proves_nothing(cast: People) -> None:
    async with standing_in(Clock()) as metapro:
        report = await driver_for(metapro, Clock(), steps=["L1"]).drive(
            cast.alice, hold=lambda: asyncio.sleep(0)
        )
    assert report["kept"].verdict is Verdict.SKIPPED
    assert "no call was due" in report["kept"].cause


async def test_a_held_session_outlives_a_service_that_is_down_for_a_beat(cast: People) -> None:
    def down_at_the_second(beat: int) -> None:
        metapro.switches.outages = {"users": "bad_gateway"} if beat == 2 else {}

    clock = Beats(down_at_the_second, waits=8)
    async with standing_in(clock) as metapro:
        driver = driver_for(metapro, clock, steps=["L1"])
        report = await driver.drive(cast.alice, hold=lambda: asyncio.wait_for(clock.stands.wait(), 60))
        last = metapro.log[-1]
    assert (last.endpoint, last.status) == ("me", 200)
    assert report["kept"].verdict is Verdict.PASS
    assert report["kept"].warnings == ("1 call without an answer",)


async def test_a_held_session_outlives_a_service_that_wants_fewer_calls(cast: People) -> None:
    def busy_at_the_second(beat: int) -> None:
        metapro.switches.rate_limit = 0 if beat == 2 else None

    clock = Beats(busy_at_the_second, waits=8)
    async with standing_in(clock, retry_after=None) as metapro:
        driver = driver_for(metapro, clock, steps=["L1"])
        report = await driver.drive(cast.alice, hold=lambda: asyncio.wait_for(clock.stands.wait(), 20))
    assert report["kept"].verdict is Verdict.PASS
    assert report["kept"].warnings == ("1 call without an answer",)


async def test_a_token_is_extended_as_often_as_it_is_configured(cast: People) -> None:
    clock = Clock()
    async with standing_in(clock, token_lifetime=150.0) as metapro:
        driver = driver_for(
            metapro, clock, steps=["X1"], long=long_run(clock), settings={"keep_alive": 100.0}
        )
        report = await driver.drive(cast.alice)
    assert report["X1"].cause == "good for 2000 s in use"


async def test_launches_of_one_second_are_the_same_to_metapro() -> None:
    """Init data that are good for one login: the driver waits until a new launch has others, one for each
    step that logs in, and what is to be refused for another reason is not refused for that."""
    clock = Clock()
    logins: list[dict[str, Any]] = []

    def heard(asked: httpx.Request, told: Any) -> tuple[int, Any]:
        logins.append(json.loads(asked.content))
        return SAME, told

    async with (
        Sandbox(clock=clock) as sandbox,
        MetaproStandIn(sandbox, Switches(init_data_reuse=False)) as metapro,
        Launcher(Settings(server="sandbox", _env_file=None), "alice", sandbox=sandbox) as launcher,
        launcher.open(APP) as app,
    ):
        driver = driver_for(
            metapro, clock, steps=["L2", "L3", "X1", "X2", "X4"], relaunch=reopening(launcher, APP),
            negative=True, long=long_run(clock), transport=Bent(LOGIN, heard),
        )  # fmt: skip
        report = await driver.drive(app)
    assert failed(report) == []
    assert "the same Metapro ID" in report["L2"].cause
    assert [step.id for step in report.steps if step.verdict is Verdict.SKIPPED] == []
    sent = [login["telegramSimpleString"] for login in logins]
    ours = {"telegramBotName": metapro.ids["bot_name"], "projectId": metapro.ids["project_id"]}
    for name, value in ours.items():
        (wrong,) = [login["telegramSimpleString"] for login in logins if login[name] != value]
        assert sent.count(wrong) == 1, f"init data were used before, so the wrong {name} proves nothing"


async def test_many_drives_side_by_side_do_not_mix(cast: People) -> None:
    clock = Clock()
    async with standing_in(clock) as metapro:
        driver = driver_for(metapro, clock, steps=["U1", "X4"])
        reports = await asyncio.gather(*(driver.drive((cast.alice, cast.bob)[n % 2]) for n in range(20)))
    assert [failed(report) for report in reports] == [[]] * 20
    people_seen = [report["L1"].cause for report in reports]
    assert len(set(people_seen[::2])) == len(set(people_seen[1::2])) == 1
    assert people_seen[0] != people_seen[1]


# Secrets

CANARY = "canary"


def secret(name: str) -> str:
    return f"{CANARY}-{name}-{'x' * 12}"


async def _repeats(request: Request) -> Response:
    """A server that answers with all it was told, in the words of an error; a login it lets succeed."""
    body = (await request.body()).decode()
    if request.url.path.endswith("/login/simple") and not {"refused", "nobody_has_this_bot"} & set(
        body.split('"')
    ):
        details = {"email": f"{CANARY}@mail.example", "birthDate": secret("born")}
        account = {"userId": "id-1", "personalDetails": details}
        return JSONResponse({"account": account, "token": {"accessToken": secret("token")}}, 201)
    names = ("authorization", "leaderboardapikey", "x-api-key", "x-account-login-hash")
    told = [request.headers[name] for name in names if name in request.headers]
    if body:
        told.insert(0, body)
    return JSONResponse({"statusCode": 400, "message": [f"repeated {one}" for one in told]}, 400)


@pytest.mark.parametrize(
    "text", ["birthDate: 1990-05-04", '{"birthDate":"1990-05-04"}', "birth_date=1990-05-04"]
)
def test_a_birth_date_that_nobody_announced_is_struck_out(text: str) -> None:
    assert "1990" not in Redaction().mask(text)


HIDDEN = "a-secret-of-this-drive"


async def _found_with_a_warning(_: Drive) -> Found:
    return Found(f"found {HIDDEN}", 200, (f"beware of {HIDDEN}",))


async def _failed(_: Drive) -> Found:
    raise Failed(f"failed with {HIDDEN}", remedy=f"Change {HIDDEN}.")


async def _skipped(_: Drive) -> Found:
    raise Skip(f"skipped for {HIDDEN}", f"Do without {HIDDEN}.")


async def test_whatever_a_step_says_is_masked() -> None:
    async with standing_in() as metapro:
        settings = settings_for(metapro)
        redaction = Redaction()
        redaction.add(HIDDEN)
        async with MetaproClient(settings, _redaction=redaction) as client:
            drive = Drive(settings, client, redaction, Wallet())
            runs: list[Run] = [_found_with_a_warning, _failed, _skipped]
            steps = [Step(str(n), "a step", Layer.CONFIG, run, HIDDEN) for n, run in enumerate(runs)]
            results = await Schedule(drive, steps, patience=5.0).run()
    told = [(step.verdict, step.cause, step.remedy, step.warnings) for step in results]
    assert told == [
        (Verdict.PASS, "found ***", "", ("beware of ***",)),
        (Verdict.FAIL, "failed with ***", "Change ***.", ()),
        (Verdict.SKIPPED, "skipped for ***", "Do without ***.", ()),
    ]


async def test_what_metapro_knows_of_a_person_is_struck_out_of_all_that_follows(cast: People) -> None:
    """A login tells when somebody was born; another service repeats it in its own words."""
    born = "on the fourth of May in 1990"
    async with standing_in(Clock()) as metapro:
        told = {
            "account": {"userId": "1", "personalDetails": {"birthDate": born}},
            "token": {"accessToken": "t" * 9},
        }

        def repeat(asked: httpx.Request, answered: Any) -> tuple[int, Any]:
            return (200, told) if asked.url.path.endswith(LOGIN) else (403, {"message": f"born {born}"})

        driver = driver_for(metapro, Clock(), steps=["K1"], transport=Bent("/ms/users-service/", repeat))
        report = await driver.drive(cast.alice)
    assert "born ***" in report["K1"].cause
    assert born not in json.dumps(report.to_json())


@pytest.mark.parametrize("project", ["taken", "refused"])
async def test_no_secret_is_told(cast: People, caplog: pytest.LogCaptureFixture, project: str) -> None:
    """Against a server that repeats everything: not in JSON, table, logs at DEBUG or exception texts."""
    caplog.set_level(logging.DEBUG)
    routes = [Route("/{rest:path}", _repeats, methods=["GET", "POST", "PUT", "PATCH"])]
    settings = MetaproSettings(
        **{f"{name}_url": f"http://metapro.example/{name}" for name in SERVICES},
        project_id=project, platform_id="p", bot_name="metapro_demo_bot", leaderboard_id="lb",
        api_key=SecretStr(secret("api-key")), api_key_place="header",
        leaderboard_key=SecretStr(secret("leaderboard-key")), wallet_key=SecretStr("0x" + "ca" * 32),
        bot_token=SecretStr(BOT_TOKEN), allow_writes=True, _env_file=None,
    )  # fmt: skip
    clock = Clock()
    heard: list[StepResult] = []
    driver = MetaproDriver(
        settings, negative=True, companion=cast.bob, now=clock, wait=clock.wait, on_result=heard.append,
        transport=httpx.ASGITransport(Starlette(routes=routes)),
    )  # fmt: skip
    report = await driver.drive(cast.alice)
    table = printed(report)
    shown = [json.dumps(report.to_json()), table, repr(report), repr(heard), caplog.text, repr(driver)]
    data = cast.alice.init_data
    assert isinstance(data, InitData)
    secrets = [CANARY, BOT_TOKEN, "ca" * 32, data.raw, data.hash, data.signature or "-" * 20, cast.bob.raw]
    assert "repeated" in table, "what the server says should be in the report"
    assert [(one, text[:60]) for text in shown for one in secrets if one in text] == []
