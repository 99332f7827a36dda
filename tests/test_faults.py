"""Every fault of the sandbox during open, prolong and send, with the outcome that `data/faults.md` states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from telethon.tl import functions, types

from flows import FloodWait as LongWait
from flows import MiniAppError
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox import Act, Delay, DropAfter, DropBefore, Fail, FloodWait, LoseKey, Sandbox
from launcher.sandbox.faults import Action
from launcher.sandbox.mailbox import Mailbox
from launcher.sandbox.rpc import Call
from launcher.settings import Settings
from launcher.timing import Timing
from tests.running import CALM, FAST, bot_client, data_received, launching, query_text

ALICE = 1001
TABLE = Path(__file__).parent / "data" / "faults.md"
METHODS = {
    "open": "messages.requestWebView",
    "prolong": "messages.prolongWebView",
    "send": "messages.sendWebViewData",
}


@dataclass(frozen=True)
class Row:
    fault: str
    phase: str
    outcome: str


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    header, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        Row(cells[0], phase, outcome)
        for cells in body
        for phase, outcome in zip(header[1:], cells[1:], strict=True)
        if outcome != "-"
    ]


def now(do: Callable[[Sandbox], None]) -> Act:
    """Something that happens to the whole server just when the call arrives."""

    def act(call: Call) -> None:
        do(call.sandbox)

    return Act(act)


def restart(sandbox: Sandbox) -> None:
    sandbox.start(sandbox.restart())


def change_app(sandbox: Sandbox) -> None:
    sandbox.world.bot("demo_bot").apps["app"].hash = 77


ACTIONS: dict[str, Action] = {
    "drop before the handler runs": DropBefore(),
    "drop after it ran, before the answer": DropAfter(),
    "drop after it ran, duplicates answered RANDOM_ID_DUPLICATE": DropAfter(),
    "delay": Delay(0.05),
    "short flood wait": FloodWait(1),
    "long flood wait": FloodWait(7200),
    "500": Fail(500, "INTERNAL"),
    "-503": Fail(-503, "Timeout"),
    "salt rotation": now(Sandbox.rotate_salts),
    "salt rotation under load": now(Sandbox.rotate_salts),
    "auth key lost (-404)": LoseKey(),
    "401 AUTH_KEY_UNREGISTERED": Fail(401, "AUTH_KEY_UNREGISTERED"),
    "406 AUTH_KEY_DUPLICATED": Fail(406, "AUTH_KEY_DUPLICATED"),
    "303 PHONE_MIGRATE_x": Fail(303, "PHONE_MIGRATE_1"),
    "pts gap": now(lambda sandbox: sandbox.part(Mailbox).skip_pts(ALICE)),
    "restart of the whole server": now(restart),
    "QUERY_ID_INVALID after two prolongs": Fail(400, "QUERY_ID_INVALID"),
    "BOT_APP_INVALID for a cached app": Fail(400, "BOT_APP_INVALID"),
    "changed hash of a cached app": now(change_app),
}


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.fault}, during {row.phase}")
async def test_the_table_holds(row: Row) -> None:
    flipped = ("duplicate_random_id_is_silent",) if "RANDOM_ID_DUPLICATE" in row.fault else ()
    timing = FAST if row.phase == "prolong" else CALM
    if row.fault == "update lost during a reconnect":
        timing, flipped = CALM, ("reconnect_announces_updates_too_long",)
    async with launching(timing, flipped=flipped) as (launcher, sandbox):
        assert await OUTCOMES[row.phase](launcher, sandbox, row.fault) == row.outcome


def arm(sandbox: Sandbox, phase: str, fault: str) -> None:
    """Under load salts change twice: before the calls arrive, and again in the midst of them."""
    skip = 2 if fault == "QUERY_ID_INVALID after two prolongs" else load(fault) // 2
    sandbox.faults.on(METHODS[phase], ACTIONS[fault], account=ALICE, skip=skip)
    if load(fault) > 1:
        sandbox.rotate_salts()


def load(fault: str) -> int:
    """How many apps the fault hits at once."""
    return 30 if fault.endswith("under load") else 1


@asynccontextmanager
async def some_open(launcher: Launcher, fault: str, via: str) -> AsyncIterator[list[MiniApp]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(launcher.open("@demo_bot", via=via)) for _ in range(load(fault))
        ]


async def outcome_of_all(outcomes: Iterable[Awaitable[str]]) -> str:
    """The one outcome, or all there were."""
    return " / ".join(sorted(set(await asyncio.gather(*outcomes))))


async def outcome_of_open(launcher: Launcher, sandbox: Sandbox, fault: str) -> str:
    """The fault hits a second app's opening; the first shows what became of the account."""
    if fault.endswith("a cached app"):
        return await outcome_of_opening_again(launcher, sandbox, fault)
    async with launcher.open("@demo_bot", via="menu_button") as other:
        arm(sandbox, "open", fault)
        return await outcome_of_all(opened(launcher, other) for _ in range(load(fault)))


async def opened(launcher: Launcher, other: MiniApp) -> str:
    try:
        async with launcher.open("@demo_bot", via="menu_button") as app:
            assert not app.is_closed
            return "opened"
    except MiniAppError as failure:
        return ended(failure, other)


async def outcome_of_opening_again(launcher: Launcher, sandbox: Sandbox, fault: str) -> str:
    """A direct link that is remembered; the hash shows what is remembered of it afterwards."""
    outcome = "opened"
    async with launcher.open("t.me/demo_bot/app"):
        sandbox.faults.on("messages.getBotApp", ACTIONS[fault])
    try:
        async with launcher.open("t.me/demo_bot/app"):
            assert last_hash(sandbox) == 1
    except MiniAppError as failure:
        outcome = ended(failure)
    async with launcher.open("t.me/demo_bot/app"):
        return f"{outcome}, then hash {last_hash(sandbox)}"


def last_hash(sandbox: Sandbox) -> int:
    return [int(call.parameters["hash"]) for call in sandbox.log if call.method == "messages.getBotApp"][-1]


async def outcome_of_prolong(launcher: Launcher, sandbox: Sandbox, fault: str) -> str:
    async with some_open(launcher, fault, "inline_button") as apps:
        if fault == "update lost during a reconnect":
            await answer_unseen(sandbox, apps[0])
        else:
            arm(sandbox, "prolong", fault)
        return await outcome_of_all(stays(app, fault) for app in apps)


async def stays(app: MiniApp, fault: str) -> str:
    reason = await first_of(app.closed(), prolongs(app, 3))
    if fault == "QUERY_ID_INVALID after two prolongs":
        return await app.closed()
    return reason or "open"


async def outcome_of_send(launcher: Launcher, sandbox: Sandbox, fault: str) -> str:
    async with some_open(launcher, fault, "keyboard_button") as apps:
        arm(sandbox, "send", fault)
        outcome = await outcome_of_all(sent(app, f"order {number}") for number, app in enumerate(apps))
        arrived = [f"order {number}" for number, _ in enumerate(apps)] if outcome == "sent" else []
        assert sorted(data_received(sandbox)) == sorted(arrived)
        return outcome


async def sent(app: MiniApp, data: str) -> str:
    try:
        await app.send_data(data)
    except MiniAppError as failure:
        return ended(failure, app)
    assert await app.closed() is CloseReason.DATA_SENT
    return "sent"


OUTCOMES: dict[str, Callable[[Launcher, Sandbox, str], Awaitable[str]]] = {
    "open": outcome_of_open,
    "prolong": outcome_of_prolong,
    "send": outcome_of_send,
}


def ended(failure: MiniAppError, app: MiniApp | None = None) -> str:
    """The exception, and the reason an open app was closed with, if it was."""
    return " ".join(filter(None, (type(failure).__name__, app.reason if app else None)))


async def prolongs(app: MiniApp, count: int) -> None:
    """Until the app was prolonged so often without failure; a long flood wait counts as staying open."""
    done = asyncio.Event()

    def on_prolong(app: MiniApp, failure: MiniAppError | None) -> None:
        if app.prolongs >= count or isinstance(failure, LongWait):
            done.set()

    app.on_prolong = on_prolong
    await done.wait()


async def first_of(*waits: Awaitable[CloseReason | None]) -> CloseReason | None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()


async def answer_unseen(sandbox: Sandbox, app: MiniApp) -> None:
    """The bot answers, the update is lost, the connection breaks."""
    sandbox.part(Mailbox).lose_next("updateWebViewResultSent")
    text = types.InputBotInlineMessageText("Ordered")
    result = types.InputBotInlineResult(id="1", type="article", send_message=text, title="Order")
    async with bot_client(sandbox) as bot:
        await bot(functions.messages.SendWebViewResultMessageRequest(query_text(app), result))
    sandbox.drop_connections(ALICE)


async def test_the_first_failure_of_a_connection_is_one_plain_error() -> None:
    async with Sandbox() as sandbox:
        port = sandbox.dcs[sandbox.main_dc][1]
    assert port  # the sandbox is gone: nobody listens there
    with pytest.raises(MiniAppError, match="No connection to the server sandbox"):
        async with launching_at_nothing(sandbox):
            pass


def launching_at_nothing(sandbox: Sandbox) -> Launcher:
    timing = Timing(connect=0.2)
    return Launcher(Settings(server="sandbox", _env_file=None), "alice", timing=timing, sandbox=sandbox)
