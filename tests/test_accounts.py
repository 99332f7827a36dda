"""Accounts on a real data centre on the loopback: signing in, using, sharing, losing and leaving them."""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from telethon import TelegramClient, events
from telethon.tl import functions

from flows.errors import AccountLost, BadInput, MiniAppError, NotConnected, SignInFailed
from launcher import account_lock, sign_in
from launcher.account_session import AccountSession
from launcher.accounts import AccountInUse, Accounts, NameTaken, NoSuchAccount
from launcher.connection import ServerUnreachable, connected, new_client, whoami
from launcher.sandbox.faults import Delay, Fail
from launcher.sandbox.mailbox import post
from launcher.sandbox.ready_file import describe
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Bot, User, World
from launcher.servers import sandbox_server
from launcher.session_file import SessionFile, SessionFileError
from launcher.settings import Settings
from launcher.sign_in import CodeSent, PasswordAsked, QrCode, SignInGivenUp
from tests.programs_beside import program
from tests.running import called, let_pass

CODE = "48151"
PASSWORD = "correct horse battery"
PASSPHRASE = "staple of the session files"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TELEGRAM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def world() -> World:
    world = World()
    world.add(
        User(1001, "Alice", "9996620001", code=CODE),
        User(1002, "Bob", "9996610002", code=CODE, dc=1),
        User(1003, "Carol", "9996620003", code=CODE, password=PASSWORD),
        User(1004, "Mallory", "9996620004", banned=True),
        User(1005, "Dave", "9996610005", code=CODE, dc=1, password=PASSWORD),
        Bot(2001, "shop_bot", "Shop", "2001:token-of-the-shop"),
    )
    return world


@pytest.fixture
def sandbox(world: World) -> Sandbox:
    return Sandbox(world)


def accounts_in(folder: Path, sandbox: Sandbox, **settings: Any) -> Accounts:
    return Accounts(Settings(sessions=folder / "sessions", **settings), sandbox_server(describe(sandbox)))


def answers(*given: str | None) -> tuple[Any, list[Any]]:
    """A coroutine function that answers these one after the other, and what it was told each time."""
    left, told = list(given), []

    async def answer(about: Any) -> Any:
        told.append(about)
        return left.pop(0)

    return answer, told


async def nobody(_: object) -> str:
    raise AssertionError("nobody should be asked")


async def signed_in(accounts: Accounts, name: str, phone: str) -> None:
    code, _ = answers(CODE)
    await accounts.sign_in_by_phone(name, phone, code=code, password=nobody)


def calls(sandbox: Sandbox, method: str) -> list[Any]:
    return [call for call in sandbox.log if call.method == method]


# Signing in by phone


async def test_a_code_signs_in_and_the_account_can_be_used(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        code, told = answers(CODE)
        account = await accounts.sign_in_by_phone("alice", "+999 662 0001", code=code, password=nobody)
        assert (account.name, account.user_id, account.phone) == ("alice", 1001, "+99…01")
        assert (account.encrypted, account.held_by, account.problem) == (False, None, None)
        assert accounts.list() == [account]
        assert [sent.where for sent in told] == ["by SMS"]
        assert told[0].length == len(CODE)
        async with accounts.connect("alice") as client:
            assert (await client.get_me()).id == 1001


async def test_it_says_where_the_code_went_and_sends_it_again_elsewhere(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        sandbox.sign_in("alice")  # so there is a device that Telegram can write to
        code, told = answers(None, None, CODE)
        await accounts_in(tmp_path, sandbox).sign_in_by_phone(
            "alice", "9996620001", code=code, password=nobody
        )
        assert [(sent.where, sent.resend) for sent in told] == [
            ("in Telegram, on a device where this account is signed in", "by SMS"),
            ("by SMS", "by a phone call"),
            ("by a phone call", None),
        ]


async def test_where_no_way_is_left_the_code_that_was_sent_is_asked_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        sandbox.sign_in("alice")
        sandbox.faults.on("auth.resendCode", Fail(406, "SEND_CODE_UNAVAILABLE"))
        code, told = answers(None, CODE)
        accounts = accounts_in(tmp_path, sandbox)
        account = await accounts.sign_in_by_phone("alice", "9996620001", code=code, password=nobody)
        assert account.user_id == 1001
        assert [sent.resend for sent in told] == ["by SMS", None]


async def test_whoever_insists_on_another_way_is_told_that_there_is_none(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        sandbox.faults.on("auth.resendCode", Fail(406, "SEND_CODE_UNAVAILABLE"), times=None)
        code, _ = answers(*[None] * 9)
        with pytest.raises(MiniAppError, match="SEND_CODE_UNAVAILABLE"):
            await accounts_in(tmp_path, sandbox).sign_in_by_phone(
                "alice", "9996620001", code=code, password=nobody
            )


def test_an_empty_line_asks_again_where_no_way_is_left() -> None:
    program = (
        "import asyncio\n"
        "from launcher.sign_in import *\n"
        "sent = CodeSent('by a phone call', 5, None, None)\n"
        f"assert asyncio.run(typed_code(None)(sent)) == {CODE!r}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=f"\n\n{CODE}\n", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("There is no other way left") == 2


async def test_the_connection_may_break_while_the_code_is_looked_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def code(_: CodeSent) -> str:
        sandbox.drop_connections()
        return CODE

    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        account = await accounts.sign_in_by_phone("alice", "9996620001", code=code, password=nobody)
        assert account.user_id == 1001


async def test_a_wrong_code_is_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        code, told = answers("11111", "22222", CODE)
        await accounts_in(tmp_path, sandbox).sign_in_by_phone(
            "alice", "9996620001", code=code, password=nobody
        )
        assert [sent.wrong for sent in told] == [0, 1, 2]


async def test_three_wrong_codes_are_enough_and_nothing_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        code, told = answers("11111", "22222", "33333", CODE)
        with pytest.raises(SignInGivenUp, match="code was wrong 3 times"):
            await accounts.sign_in_by_phone("alice", "9996620001", code=code, password=nobody)
        assert len(told) == 3
        assert accounts.list() == []


async def test_the_two_step_password_is_asked_for_until_it_is_right(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        code, _ = answers(CODE)
        password, told = answers("wrong", PASSWORD)
        account = await accounts.sign_in_by_phone("carol", "9996620003", code=code, password=password)
        assert account.user_id == 1003
        assert [asked.wrong for asked in told] == [0, 1]


async def test_three_wrong_passwords_are_enough(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        code, _ = answers(CODE)
        password, told = answers("a", "b", "c", PASSWORD)
        with pytest.raises(SignInGivenUp, match="password was wrong 3 times"):
            await accounts_in(tmp_path, sandbox).sign_in_by_phone(
                "carol", "9996620003", code=code, password=password
            )
        assert len(told) == 3


async def test_an_account_of_another_data_centre_is_followed_there(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "bob", "9996610002")
        with accounts.held("bob") as session:
            assert (session.dc_id, session.port) == (1, sandbox.dcs[1][1])
        async with accounts.connect("bob") as client:
            assert (await client.get_me()).id == 1002


async def test_two_sandboxes_at_once_do_not_send_accounts_to_each_other(world: World) -> None:
    async with Sandbox(world) as one, Sandbox(world) as other:
        servers = [sandbox_server(describe(sandbox)) for sandbox in (one, other)]
        first, second = (new_client(AccountSession(server), server, signing_in=True) for server in servers)
        async with connected(first, servers[0]), connected(second, servers[1]):
            for client, sandbox in ((first, one), (second, other)):
                user = await sign_in.by_phone(client, "9996610002", code=answers(CODE)[0], password=nobody)
                assert user.id == 1002
                assert client.session.port == sandbox.dcs[1][1]


async def test_code_and_password_come_from_the_settings(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox, code=CODE, password=PASSWORD)
        assert (await accounts.sign_in_by_phone("carol", "9996620003")).user_id == 1003


@pytest.mark.parametrize(
    ("preset", "variable"),
    [({"code": "99999"}, "TELEGRAM_CODE"), ({"code": CODE, "password": "no"}, "TELEGRAM_PASSWORD")],
)
async def test_a_wrong_setting_is_not_tried_twice(
    sandbox: Sandbox, tmp_path: Path, preset: dict[str, str], variable: str
) -> None:
    async with sandbox:
        with pytest.raises(SignInGivenUp, match=f"{variable} is wrong"):
            await accounts_in(tmp_path, sandbox, **preset).sign_in_by_phone("carol", "9996620003")
        assert len(calls(sandbox, "auth.signIn")) == 1


def test_code_and_password_come_from_the_standard_input() -> None:
    program = (
        "import asyncio\n"
        "from launcher.sign_in import *\n"
        "code, password = typed_code(None), typed_password(None)\n"
        "sent = CodeSent('by SMS', 5, 'by a phone call', 60)\n"
        "async def main():\n"
        "    assert await code(sent) is None\n"
        f"    assert await code(sent) == {CODE!r}\n"
        f"    assert await password(PasswordAsked('a hint')) == {PASSWORD!r}\n"
        "    try:\n"
        "        await password(PasswordAsked(None))\n"
        "    except SignInGivenUp as error:\n"
        "        assert 'TELEGRAM_PASSWORD' in str(error)\n"
        "    else:\n"
        "        raise AssertionError\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=f"\n{CODE}\n{PASSWORD}\n", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "The code was sent by SMS; an empty line sends it again, by a phone call." in done.stderr
    assert "a hint" in done.stderr
    assert PASSWORD not in done.stderr


# Signing in by QR code, and as a bot


def scanner(sandbox: Sandbox, person: str, after: int = 1) -> tuple[Any, list[QrCode]]:
    """Shows QR codes to an official app of `person`, which scans the one with this number."""
    shown: list[QrCode] = []

    async def show(code: QrCode) -> None:
        shown.append(code)
        if len(shown) == after:
            text = code.url.removeprefix("tg://login?token=")
            token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            async with TelegramClient(sandbox.sign_in(person), sandbox.api_id, sandbox.api_hash) as app:
                await app(functions.auth.AcceptLoginTokenRequest(token))

    return show, shown


@pytest.mark.parametrize(("name", "user_id"), [("alice", 1001), ("bob", 1002)])
async def test_a_scanned_qr_code_signs_in(sandbox: Sandbox, tmp_path: Path, name: str, user_id: int) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        show, shown = scanner(sandbox, name)
        account = await accounts.sign_in_by_qr(name, show, password=nobody)
        assert account.user_id == user_id
        assert len(shown) == 1
        async with accounts.connect(name) as client:
            assert (await client.get_me()).id == user_id


@pytest.mark.parametrize(("name", "user_id"), [("carol", 1003), ("dave", 1005)])
async def test_the_password_is_asked_for_after_the_qr_code(
    sandbox: Sandbox, tmp_path: Path, name: str, user_id: int
) -> None:
    async with sandbox:
        show, _ = scanner(sandbox, name)
        password, told = answers("wrong", PASSWORD)
        account = await accounts_in(tmp_path, sandbox).sign_in_by_qr(name, show, password=password)
        assert account.user_id == user_id
        assert len(told) == 2


async def test_an_expired_qr_code_is_replaced(world: World) -> None:
    """The sandbox's clock is behind, so every code looks expired at once."""
    sandbox = Sandbox(world, clock=lambda: time.time() - 3600)
    async with sandbox:
        server = sandbox_server(describe(sandbox))
        client = new_client(AccountSession(server), server, signing_in=True)
        show, shown = scanner(sandbox, "alice", after=3)
        async with connected(client, server):
            user = await sign_in.by_qr(client, show, password=nobody, least_wait=0.0)
        assert user.id == 1001
        assert len(shown) >= 3
        assert len({code.url for code in shown}) == len(shown)


async def test_qr_codes_that_nobody_scans_come_to_an_end(world: World) -> None:
    sandbox = Sandbox(world, clock=lambda: time.time() - 3600)
    async with sandbox:
        server = sandbox_server(describe(sandbox))
        client = new_client(AccountSession(server), server, signing_in=True)
        show, shown = scanner(sandbox, "alice", after=99)
        async with connected(client, server):
            with pytest.raises(SignInGivenUp, match="None of 3 QR codes was scanned"):
                await sign_in.by_qr(client, show, password=nobody, least_wait=0.0, codes=3)
        assert len(shown) == 3


async def test_a_bot_signs_in_with_its_token(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        token = SecretStr("2001:token-of-the-shop")
        assert (await accounts_in(tmp_path, sandbox).sign_in_bot("shop", token)).user_id == 2001


# A name that is there already


async def test_a_name_of_another_user_is_kept_and_the_newcomer_signed_out(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        exported = accounts.export("alice")
        with pytest.raises(NameTaken, match=r"is user 1001, not user 1002.*`miniapp logout alice`"):
            await signed_in(accounts, "alice", "9996610002")
        assert len(calls(sandbox, "auth.logOut")) == 1
        assert accounts.export("alice") == exported
        async with accounts.connect("alice") as client:
            assert (await client.get_me()).id == 1001
        bob = accounts_in(tmp_path / "bob", sandbox)
        await signed_in(bob, "alice", "9996610002")
        with pytest.raises(NameTaken):
            bob.import_("alice", exported)


async def test_a_session_that_is_replaced_by_its_own_user_is_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        older = accounts.export("alice")
        await signed_in(accounts, "alice", "9996620001")
        async with accounts.connect("alice") as client:
            assert (await client.get_me()).id == 1001
        accounts.import_("alice", older)
        with pytest.raises(AccountLost):
            async with accounts.connect("alice"):
                pass
        await signed_in(accounts, "alice", "9996620001")  # what cannot be ended is replaced all the same
        async with accounts.connect("alice") as client:
            assert (await client.get_me()).id == 1001


async def test_a_session_of_an_ended_sandbox_is_replaced(
    sandbox: Sandbox, world: World, tmp_path: Path
) -> None:
    async with sandbox:
        await signed_in(accounts_in(tmp_path, sandbox), "alice", "9996620001")
    async with Sandbox(World()) as another:
        another.world.add(User(1002, "Bob", "9996610002", code=CODE))
        accounts = accounts_in(tmp_path, another)
        await signed_in(accounts, "alice", "9996610002")
        assert [account.user_id for account in accounts.list()] == [1002]


async def test_a_file_that_does_not_open_is_told_before_anybody_is_asked(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        await signed_in(accounts_in(tmp_path, sandbox, session_passphrase=PASSPHRASE), "alice", "9996620001")
        before = len(calls(sandbox, "auth.sendCode"))
        with pytest.raises(SessionFileError):
            await signed_in(accounts_in(tmp_path, sandbox), "alice", "9996620001")
        assert len(calls(sandbox, "auth.sendCode")) == before


# What a next run needs


async def test_an_encrypted_account_resolves_nothing_twice(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox, session_passphrase=PASSPHRASE)
        await signed_in(accounts, "alice", "9996620001")
        async with accounts.connect("alice") as client:
            first = await client.get_input_entity("shop_bot")
            client.session.caches["apps"] = {"shop/cart": 7}
        assert len(calls(sandbox, "contacts.resolveUsername")) == 1
        assert accounts.list()[0].encrypted
        async with accounts.connect("alice") as client:
            assert await client.get_input_entity("@Shop_Bot") == first
            assert client.session.caches == {"apps": {"shop/cart": 7}}
            assert (await client.get_entity(first)).username == "shop_bot"
        assert len(calls(sandbox, "contacts.resolveUsername")) == 1


async def test_updates_missed_between_two_runs_arrive_in_the_second(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox, session_passphrase=PASSPHRASE)
        await signed_in(accounts, "alice", "9996620001")
        post(sandbox, 2001, 1001, text="while you were away")
        news: asyncio.Queue[str] = asyncio.Queue()

        async def on_message(event: Any) -> None:
            await news.put(event.raw_text)

        with accounts.held("alice") as session:
            client = new_client(session, accounts.server)
            client.add_event_handler(on_message, events.NewMessage())
            async with connected(client, accounts.server), asyncio.timeout(60):
                assert await news.get() == "while you were away"


async def test_a_failed_connection_does_not_lose_the_update_state(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        before = (accounts.folder / "alice.session").read_bytes()
        with accounts.held("alice") as session:
            session.set_dc(2, "127.0.0.1", free_port())
            client = new_client(session, accounts.server)
            with pytest.raises(ServerUnreachable):
                async with connected(client, accounts.server, timeout=0.2):
                    pass
        with accounts.held("alice") as session:
            session.set_dc(2, *sandbox.dcs[2])
            session.save()
        assert (accounts.folder / "alice.session").read_bytes() == before


# One process at a time


HOLDER = """
import sys
from pathlib import Path
from launcher.account_lock import locked
with locked(Path(sys.argv[1]), "alice"):
    print("held", flush=True)
    sys.stdin.readline()
"""


async def test_a_second_process_is_told_who_has_the_account(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        command = [sys.executable, "-c", HOLDER, str(accounts.folder / "alice.lock")]
        with program(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout
            assert other.stdout.readline() == "held\n"
            assert accounts.list()[0].held_by == other.pid
            with pytest.raises(AccountInUse, match=f"in use by process {other.pid}") as caught:
                async with accounts.connect("alice"):
                    pass
            assert caught.value.pid == other.pid
            with pytest.raises(AccountInUse):
                await accounts.sign_out("alice", force=True)
            os.kill(other.pid, signal.SIGKILL)  # a crash frees it
            other.wait()
        assert accounts.list()[0].held_by is None
        async with accounts.connect("alice") as client:
            assert await client.is_user_authorized()


async def test_the_same_process_cannot_use_an_account_twice(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        with accounts.held("alice"), pytest.raises(AccountInUse, match="by this process"):
            async with accounts.connect("alice"):
                pass


async def test_no_lock_is_left_of_an_account_that_is_not_there(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        with pytest.raises(BadInput):
            await accounts.sign_in_by_phone("alice", "no number", code=nobody, password=nobody)
        assert list(accounts.folder.iterdir()) == []
        await signed_in(accounts, "alice", "9996620001")
        await accounts.sign_out("alice")
        await signed_in(accounts, "alice", "9996620001")
        sandbox.forget_key(1001)
        await accounts.sign_out("alice", force=True)
        assert list(accounts.folder.iterdir()) == []


def test_a_lock_file_that_was_removed_meanwhile_locks_nothing(tmp_path: Path) -> None:
    """Two who open it at once: the first removes it at its end, so the second must not hold the removed one
    while a third makes a new one."""
    path, opened = tmp_path / "alice.lock", account_lock._opened
    with pytest.MonkeyPatch.context() as patch, ExitStack() as first:

        def open_just_before_the_end(lock_file: Path) -> int:
            patch.setattr(account_lock, "_opened", opened)
            descriptor = opened(lock_file)
            first.close()
            return descriptor

        first.enter_context(account_lock.locked(path, "alice"))
        patch.setattr(account_lock, "_opened", open_just_before_the_end)
        with account_lock.locked(path, "alice"):
            with pytest.raises(AccountInUse), account_lock.locked(path, "alice"):
                pass
            assert path.exists()


# What Telegram refuses


LOST = [
    (401, "AUTH_KEY_UNREGISTERED"),
    (401, "SESSION_REVOKED"),
    (401, "USER_DEACTIVATED"),
    (401, "USER_DEACTIVATED_BAN"),
    (406, "AUTH_KEY_DUPLICATED"),
]


@pytest.mark.parametrize(("code", "name"), LOST)
@pytest.mark.parametrize("method", ["users.getUsers", "*"])
async def test_a_lost_account_says_how_it_was_lost(
    sandbox: Sandbox, tmp_path: Path, code: int, name: str, method: str
) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        sandbox.faults.on(method, Fail(code, name), times=None)
        with pytest.raises(AccountLost) as caught:
            async with accounts.connect("alice"):
                pass
        assert caught.value.name == name
        assert caught.value.meaning
        assert accounts.names() == ["alice"], "only signing out removes a file"


async def test_an_account_whose_loss_the_update_loop_learns_first_is_lost_too(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Telethon disconnects then, while the account is still being asked who it is."""
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        sandbox.faults.on("users.getUsers", Delay(3600), times=None)
        sandbox.faults.on("updates.getDifference", Fail(401, "SESSION_REVOKED"), times=None)
        with pytest.raises(AccountLost) as caught:
            async with accounts.connect("alice"):
                pass
        assert (caught.value.method, caught.value.name) == ("updates.getDifference", "SESSION_REVOKED")


async def test_a_server_that_falls_silent_is_not_waited_for(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        sandbox.log.clear()
        sandbox.faults.on("users.getUsers", Delay(3600), times=None)

        async def connect() -> None:
            async with accounts.connect("alice", timeout=20):
                pass

        connecting = asyncio.create_task(connect())
        await called(sandbox, "users.getUsers")
        let_pass(20)
        with pytest.raises(NotConnected) as caught:
            await connecting
        assert caught.value.method == "users.getUsers"


async def test_the_reasons_for_a_lost_account_have_texts_of_their_own(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    texts = set()
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        for code, name in LOST:
            fault = sandbox.faults.on("users.getUsers", Fail(code, name), times=None)
            with pytest.raises(AccountLost) as caught:
                async with accounts.connect("alice"):
                    pass
            texts.add(str(caught.value).partition(name)[2])
            assert fault.takes("users.getUsers", None)
            sandbox.faults.clear()
    assert len(texts) == len(LOST)


async def test_a_forgotten_auth_key_is_a_lost_account(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        sandbox.forget_key(1001)
        with pytest.raises(AccountLost) as caught:
            async with accounts.connect("alice"):
                pass
        assert caught.value.name == "AUTH_KEY_NOT_FOUND"
    del caught
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == [], "an unseen exception"


@pytest.mark.parametrize(
    ("phone", "method", "fault", "name"),
    [
        ("9996620004", None, None, "PHONE_NUMBER_BANNED"),
        ("9996629999", None, None, "PHONE_NUMBER_UNOCCUPIED"),
        ("9996620001", "auth.sendCode", Fail(400, "API_ID_INVALID"), "API_ID_INVALID"),
        ("9996620001", "auth.sendCode", Fail(400, "API_ID_PUBLISHED_FLOOD"), "API_ID_PUBLISHED_FLOOD"),
    ],
)
async def test_a_refused_sign_in_says_why(
    sandbox: Sandbox, tmp_path: Path, phone: str, method: str | None, fault: Fail | None, name: str
) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        if method and fault:
            sandbox.faults.on(method, fault)
        code, _ = answers("22222")
        with pytest.raises(SignInFailed) as caught:
            await accounts.sign_in_by_phone("new", phone, code=code, password=nobody)
        assert caught.value.name == name
        assert caught.value.remedy
        assert accounts.names() == []


async def test_the_server_itself_refuses_a_wrong_api_id(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        server = replace(sandbox_server(describe(sandbox)), api_id=1)
        accounts = Accounts(Settings(sessions=tmp_path), server)
        with pytest.raises(SignInFailed) as caught:
            await accounts.sign_in_by_phone("alice", "9996620001", code=nobody, password=nobody)
        assert caught.value.name == "CONNECTION_API_ID_INVALID"


async def test_what_is_no_phone_number_is_not_sent(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        with pytest.raises(BadInput, match="international form"):
            await accounts_in(tmp_path, sandbox).sign_in_by_phone("a", "alice", code=nobody, password=nobody)
        assert not calls(sandbox, "auth.sendCode")


# What cannot be reached


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_an_unreachable_server_is_reported_within_the_time_given(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        server = replace(sandbox_server(describe(sandbox)), port=free_port())
        accounts = Accounts(Settings(sessions=tmp_path), server)
        with pytest.raises(ServerUnreachable, match=rf"127\.0\.0\.1:{server.port} within 0\.2 s"):
            await accounts.sign_in_by_phone("a", "9996620001", code=nobody, password=nobody, timeout=0.2)


async def test_a_server_that_never_answers_is_reported_too(sandbox: Sandbox, tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with sandbox, listener:
        server = replace(sandbox_server(describe(sandbox)), port=listener.sockets[0].getsockname()[1])
        accounts = Accounts(Settings(sessions=tmp_path), server)
        with pytest.raises(ServerUnreachable):
            await accounts.sign_in_by_phone("a", "9996620001", code=nobody, password=nobody, timeout=0.2)


async def test_a_server_that_hangs_up_is_not_called_slow(sandbox: Sandbox, tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with sandbox, listener:
        server = replace(sandbox_server(describe(sandbox)), port=listener.sockets[0].getsockname()[1])
        accounts = Accounts(Settings(sessions=tmp_path), server)
        with pytest.raises(ServerUnreachable, match="broke before there was an answer"):
            await accounts.sign_in_by_phone("a", "9996620001", code=nobody, password=nobody)


async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()


async def test_telegram_is_reached_through_the_proxy(sandbox: Sandbox, tmp_path: Path) -> None:
    """A SOCKS5 proxy (RFC 1928, 1929) that brings everybody to the sandbox, whatever address they ask for."""
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x05\x02")  # user name and password, please
        for _ in range(2):
            asked.append(await reader.readexactly((await reader.readexactly(2 if not asked else 1))[-1]))
        writer.write(b"\x01\x00")
        asked.append(await reader.readexactly(10))  # connect to an IPv4 address and port
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        there, back = await asyncio.open_connection(*sandbox.dcs[2])
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    listener = await asyncio.start_server(proxy, "127.0.0.1", 0)
    async with sandbox, listener:
        url = f"socks5://me:s3cr3t@127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        telegram = replace(sandbox_server(describe(sandbox)), name="test", host="149.154.167.40", port=443)
        accounts = Accounts(Settings(sessions=tmp_path, proxy=url), telegram)
        await signed_in(accounts, "alice", "9996620001")
        assert asked[:3] == [b"me", b"s3cr3t", b"\x05\x01\x00\x01\x95\x9a\xa7\x28\x01\xbb"]


# Names, files, servers


async def test_an_unknown_account_lists_those_there_are(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        with pytest.raises(NoSuchAccount, match="There is none yet"), accounts.held("alcie"):
            pass
        await signed_in(accounts, "alice", "9996620001")
        with pytest.raises(NoSuchAccount, match="There are: alice"), accounts.held("alcie"):
            pass


@pytest.mark.parametrize("name", ["", "../alice", "a/b", "a\\b", ".hidden", "a\n", "x" * 65, "a\0"])
async def test_a_name_is_not_a_path(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        with pytest.raises(BadInput, match="cannot be the name of an account"), accounts.held(name):
            pass
        with pytest.raises(BadInput):
            await accounts.sign_in_by_phone(name, "9996620001", code=nobody, password=nobody)
        assert not accounts.folder.exists()


async def test_files_and_folders_belong_to_their_owner_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    before = os.umask(0o277)
    try:
        async with sandbox:
            accounts = accounts_in(tmp_path, sandbox)
            await signed_in(accounts, "alice", "9996620001")
            for _ in range(2):
                assert stat.S_IMODE(accounts.folder.stat().st_mode) == 0o700
                assert stat.S_IMODE((accounts.folder / "alice.session").stat().st_mode) == 0o600
                accounts.folder.chmod(0o755)
                (accounts.folder / "alice.session").chmod(0o644)
                async with accounts.connect("alice"):
                    pass
    finally:
        os.umask(before)


async def test_a_session_of_another_server_is_refused_before_connecting(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        exported = accounts.export("alice")
        before = len(sandbox.log)
        production = Accounts(accounts.settings, replace(accounts.server, name="production"))
        with pytest.raises(SessionFileError, match="belongs to the server sandbox, not to production"):
            production.import_("alice", exported)
        (accounts.folder / "alice.session").rename(production.folder / "alice.session")
        with pytest.raises(SessionFileError, match="belongs to the server sandbox, not to production"):
            async with production.connect("alice"):
                pass
        assert len(sandbox.log) == before


async def test_an_account_of_another_sandbox_stands_in_nobodys_way(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two sandboxes have an alice each, in one sessions folder, at once."""
    async with sandbox, Sandbox(sandbox.world) as other:
        here, there = accounts_in(tmp_path, sandbox), accounts_in(tmp_path, other)
        await signed_in(here, "alice", "9996620001")
        with pytest.raises(NoSuchAccount, match="There is none yet"):
            async with there.connect("alice"):
                pass
        async with here.connect("alice") as first:
            await signed_in(there, "alice", "9996620001")
            async with there.connect("alice") as second:
                for client in (first, second):
                    assert (await client.get_me()).id == 1001
        assert (here.names(), there.names()) == (["alice"], ["alice"])


async def test_a_session_of_another_sandbox_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        before = accounts_in(tmp_path, sandbox)
        await signed_in(before, "alice", "9996620001")
    async with Sandbox(World()) as other:
        accounts = accounts_in(tmp_path, other)
        before.folder.rename(accounts.folder)
        with pytest.raises(SessionFileError, match="belongs to another sandbox"):
            async with accounts.connect("alice"):
                pass
        assert "another sandbox" in (accounts.list()[0].problem or "")
        assert not other.log


async def test_a_file_that_is_no_session_is_listed_with_its_problem(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        (accounts.folder / "bad.session").write_text("nonsense")
        (accounts.folder / "dir.session").mkdir()
        problems = {account.name: account.problem or "" for account in accounts.list()}
        assert problems["alice"] == ""
        assert "is not a session file" in problems["bad"]
        assert "it is a folder" in problems["dir"]


async def test_a_folder_that_cannot_be_written_is_named_before_anybody_is_asked(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with sandbox:
        (tmp_path / "sessions").write_text("a file where the folder should be")
        with pytest.raises(SessionFileError, match=r"sessions.*TELEGRAM_SESSIONS"):
            await accounts_in(tmp_path, sandbox).sign_in_by_phone(
                "alice", "9996620001", code=nobody, password=nobody
            )
        assert not calls(sandbox, "auth.sendCode")


# Signing out, carrying elsewhere


async def test_an_imported_session_that_leads_elsewhere_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        file = SessionFile(accounts.folder / "alice.session")
        file.write(file.read().model_copy(update={"host": "192.0.2.1"}))
        with pytest.raises(SessionFileError, match=r"leads to '192\.0\.2\.1'"):
            accounts.import_("mallory", accounts.export("alice"))
        assert accounts.names() == ["alice"]
        with pytest.raises(SessionFileError, match=r"leads to '192\.0\.2\.1'"):
            async with accounts.connect("alice"):
                pass


async def test_signing_out_ends_the_session_and_removes_the_file(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        exported = accounts.export("alice")
        await accounts.sign_out("alice")
        assert accounts.names() == []
        assert len(calls(sandbox, "auth.logOut")) == 1
        accounts.import_("alice", exported)
        with pytest.raises(AccountLost) as caught:
            async with accounts.connect("alice"):
                pass
        assert caught.value.name == "AUTH_KEY_UNREGISTERED"


async def test_a_lost_account_is_removed_by_force_only(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox)
        await signed_in(accounts, "alice", "9996620001")
        sandbox.forget_key(1001)
        with pytest.raises(AccountLost):
            await accounts.sign_out("alice")
        assert accounts.names() == ["alice"]
        await accounts.sign_out("alice", force=True)
        assert accounts.names() == []


async def test_an_exported_account_is_used_elsewhere(sandbox: Sandbox, tmp_path: Path) -> None:
    async with sandbox:
        here = accounts_in(tmp_path / "here", sandbox, session_passphrase=PASSPHRASE)
        await signed_in(here, "alice", "9996620001")
        there = accounts_in(tmp_path / "there", sandbox)
        same = here.export("alice")
        assert "\n" not in same
        with pytest.raises(SessionFileError, match="is encrypted"):
            there.import_("alice", same)
        there.import_("alice", same, passphrase=SecretStr(PASSPHRASE))
        own = here.export("alice", passphrase=SecretStr("only for CI"))
        there.import_("again", f"{own}\n", passphrase=SecretStr("only for CI"))
        async with there.connect("again") as client:
            assert (await client.get_me()).id == 1001
        for text in ("", "hello", own[:40] + "!", own.removeprefix("miniapp-")):
            with pytest.raises(BadInput, match="not an exported session"):
                there.import_("bad", text)
        assert there.names() == ["again", "alice"]


# Secrets


async def test_no_secret_is_ever_logged_or_shown(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[object] = []
    async with sandbox:
        accounts = accounts_in(tmp_path, sandbox, session_passphrase=PASSPHRASE)
        code, told = answers("00000", CODE)
        password, asked = answers("not the password", PASSWORD)
        shown.append(await accounts.sign_in_by_phone("carol", "9996620003", code=code, password=password))
        with accounts.held("carol") as session:
            key = session.auth_key.key
            hash_of_bot = sandbox.sign_in("alice").auth_key.key
            assert session.file
            shown += [session, session.file, session.file.read()]
            shown += [accounts, accounts.settings, accounts.server]
        async with accounts.connect("carol") as client:
            await client.get_input_entity("shop_bot")
        wrong = accounts_in(tmp_path, sandbox, session_passphrase="another passphrase")
        shown += await errors_of(
            lambda: accounts.sign_in_by_phone("x", "9996620003", code=answers("1", "2", "3")[0]),
            lambda: whoami_of(wrong, "carol"),
        )
    secrets = [CODE, PASSWORD, PASSPHRASE, "not the password", "another passphrase", key.hex(), repr(key)]
    secrets += [sandbox.api_hash, told[-1].hash, hash_of_bot.hex()]
    everything = [f"{thing!s} {thing!r}" for thing in [*shown, *told, *asked]]
    everything += [f"{record.getMessage()} {record.args!r}" for record in caplog.records]
    assert any(record.name.startswith("telethon") for record in caplog.records)
    assert [secret for secret in secrets for text in everything if _is_in(secret, text)] == []


def _is_in(secret: str, text: str) -> bool:
    """A code has five digits, which some number of many digits has as well."""
    return secret in text and (not secret.isdigit() or secret in re.findall(r"\d+", text))


async def whoami_of(accounts: Accounts, name: str) -> None:
    async with accounts.connect(name) as client:
        await whoami(client)


async def errors_of(*attempts: Callable[[], Any]) -> list[object]:
    errors: list[object] = []
    for attempt in attempts:
        with pytest.raises(MiniAppError) as caught:
            await attempt()
        error: BaseException | None = caught.value
        while error is not None:
            errors.append(error)
            error = error.__cause__ or error.__context__
    return errors


def test_values_hide_their_secrets() -> None:
    sent = CodeSent("by SMS", 5, None, None, hash="the-hash")
    file = SessionFile(Path("a.session"), SecretStr(PASSPHRASE))
    for value in (sent, PasswordAsked("hint"), file):
        assert "the-hash" not in repr(value)
        assert PASSPHRASE not in repr(value)
