"""A whole sandbox and real clients: unpatched Telethon over every transport, and raw sockets for the rest."""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon import TelegramClient, events
from telethon.crypto import AES
from telethon.crypto import rsa as client_rsa
from telethon.errors import (
    AuthKeyNotFound,
    BotInvalidError,
    FloodWaitError,
    MsgWaitFailedError,
    MultiError,
    RPCError,
    UnauthorizedError,
)
from telethon.extensions import BinaryReader
from telethon.network import (
    Connection,
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.network.connection.tcpintermediate import (
    IntermediatePacketCodec,
    RandomizedIntermediatePacketCodec,
)
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from launcher.sandbox import faults, mtproto
from launcher.sandbox.calls import MASK, parameters
from launcher.sandbox.connection import _MOST_UNREAD
from launcher.sandbox.server import AuthKey, Sandbox
from launcher.sandbox.transport import Full
from launcher.sandbox.world import Bot, User, World

NEAREST = functions.help.GetNearestDcRequest()
WITHIN = 60.0
"""Seconds after which something that should have happened is a failure; nothing waits for it to pass."""


def world() -> World:
    made = World()
    made.add(
        User(1001, "Alice", "9996620001"),
        User(1002, "Bob", "9996620002", dc=1),
        Bot(2001, "helper_bot", "Helper", token="2001:secret"),
    )
    return made


def sandbox(**options: Any) -> Sandbox:
    return Sandbox(world(), **options)


@asynccontextmanager
async def connected(box: Sandbox, session: Any, **options: Any) -> AsyncIterator[Any]:
    """A plain Telethon client whose retries do not wait and whose flood waits are not hidden."""
    client = TelegramClient(
        session, box.api_id, box.api_hash, retry_delay=0.01, flood_sleep_threshold=0, **options
    )
    async with asyncio.timeout(WITHIN):
        await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def calls(box: Sandbox, method: str = "help.getNearestDc") -> list[str | None]:
    """The errors of the logged calls of one method; None where there was none."""
    return [line.error for line in box.log if line.method == method]


class PaddedCodec(RandomizedIntermediatePacketCodec):  # type: ignore[misc]
    tag = b"\xdd" * 4


class ConnectionTcpPadded(Connection):  # type: ignore[misc]
    packet_codec = PaddedCodec


class ConnectionTcpObfuscatedIntermediate(ConnectionTcpObfuscated):  # type: ignore[misc]
    packet_codec = IntermediatePacketCodec


class ConnectionTcpObfuscatedPadded(ConnectionTcpObfuscated):  # type: ignore[misc]
    packet_codec = RandomizedIntermediatePacketCodec


# Clients and transports


@pytest.mark.parametrize(
    "connection",
    [
        ConnectionTcpFull,
        ConnectionTcpAbridged,
        ConnectionTcpIntermediate,
        ConnectionTcpObfuscated,
        ConnectionTcpPadded,
        ConnectionTcpObfuscatedIntermediate,
        ConnectionTcpObfuscatedPadded,
    ],
)
async def test_an_unpatched_client_makes_a_key_and_calls(connection: Any) -> None:
    async with sandbox() as box:
        session = box.new_session()
        async with connected(box, session, connection=connection) as client:
            assert (await client(NEAREST)).this_dc == 2
            assert not await client.is_user_authorized()
        assert box.keys[session.auth_key.key_id].key == session.auth_key.key.rjust(256, b"\0")


async def test_a_session_can_come_signed_in() -> None:
    async with sandbox() as box:
        async with connected(box, box.sign_in("alice")) as client:
            assert (await client.get_me()).id == 1001
        async with connected(box, box.sign_in("@helper_bot")) as client:
            assert (await client.get_me()).bot
        with pytest.raises(KeyError, match="Alice"):
            box.sign_in("nobody")


async def test_the_configuration_names_both_data_centres() -> None:
    async with sandbox() as box, connected(box, box.sign_in("bob")) as client:
        config = await client(functions.help.GetConfigRequest())
        assert config.this_dc == 1
        assert {dc.id: (dc.ip_address, dc.port) for dc in config.dc_options} == box.dcs
        nearest = await client(NEAREST)
        assert (nearest.this_dc, nearest.nearest_dc) == (1, 2)
        app_config = await client(functions.help.GetAppConfigRequest(0))
        same = await client(functions.help.GetAppConfigRequest(app_config.hash))
        assert isinstance(same, types.help.AppConfigNotModified)


async def test_ports_are_on_the_loopback_only() -> None:
    async with sandbox() as box:
        addresses = {server.sockets[0].getsockname()[0] for server in box._servers}
        assert addresses == {"127.0.0.1"}
        assert {host for host, _ in box.dcs.values()} == {"127.0.0.1"}


async def test_telethon_forgets_the_sandbox_when_it_ends() -> None:
    before = dict(client_rsa._server_keys)
    async with sandbox() as box:
        fingerprint = box.rsa.fingerprint  # the key is made when it is first asked for
        assert set(client_rsa._server_keys) - set(before) == {fingerprint}
        TelegramClient._config = "of another sandbox"
    assert client_rsa._server_keys == before
    assert TelegramClient._config is None


async def test_the_rsa_key_is_made_for_whoever_exchanges_keys() -> None:
    before = set(client_rsa._server_keys)
    async with sandbox() as box:
        async with connected(box, box.sign_in("alice")):
            assert set(client_rsa._server_keys) == before
        async with connected(box, box.new_session()):
            assert len(set(client_rsa._server_keys) - before) == 1
        assert client_rsa._server_keys.keys() - before == {box.rsa.fingerprint}
    made_before = sandbox()
    fingerprint = made_before.rsa.fingerprint
    assert set(client_rsa._server_keys) == before
    async with made_before:
        assert client_rsa._server_keys.keys() - before == {fingerprint}
    assert set(client_rsa._server_keys) == before


async def test_a_client_of_another_application_is_refused() -> None:
    async with sandbox() as box:
        client = TelegramClient(box.sign_in("alice"), box.api_id + 1, box.api_hash)
        with pytest.raises(RPCError, match="API id is invalid"):
            await client.connect()
        await client.disconnect()


async def test_an_unknown_method_is_not_valid() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        with pytest.raises(RPCError) as caught:
            await client(functions.help.GetSupportRequest())
        assert caught.value.code == 400
        assert calls(box, "help.getSupport") == ["INPUT_METHOD_INVALID"]


async def test_many_calls_at_once() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        answers = await asyncio.gather(*(client(NEAREST) for _ in range(500)))
        assert {answer.nearest_dc for answer in answers} == {2}
        assert calls(box) == [None] * 500


async def test_ordered_calls_wait_for_one_another() -> None:
    """Telethon's ordered requests are wrapped in invokeAfterMsg; what follows a failure fails."""
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.Delay(0.05))
        await client([NEAREST, functions.help.GetAppConfigRequest(0)], ordered=True)
        lines = [line.method for line in box.log if line.method in ("help.getNearestDc", "help.getAppConfig")]
        assert lines == ["help.getNearestDc", "help.getAppConfig"]
        box.faults.on("help.getNearestDc", faults.Fail(400, "BOT_INVALID"))
        with pytest.raises(MultiError) as caught:
            await client([NEAREST, functions.help.GetAppConfigRequest(0)], ordered=True)
        assert [type(error) for error in caught.value.exceptions] == [BotInvalidError, MsgWaitFailedError]
        assert len(calls(box, "help.getAppConfig")) == 1


async def test_two_clients_of_one_account_do_not_disturb_one_another() -> None:
    async with (
        sandbox() as box,
        connected(box, box.sign_in("alice")) as one,
        connected(box, box.sign_in("alice")) as two,
    ):
        await asyncio.gather(*(client(NEAREST) for client in (one, two) for _ in range(50)))
        assert len(calls(box)) == 100


# Keys


async def test_a_key_of_another_sandbox_is_not_known() -> None:
    async with sandbox() as old:
        session = old.sign_in("alice")
    async with sandbox() as box:
        session.set_dc(2, *box.dcs[2])
        with pytest.raises(AuthKeyNotFound):
            async with connected(box, session):
                pass


async def test_a_key_belongs_to_one_data_centre() -> None:
    async with sandbox() as box:
        session = box.sign_in("alice")
        session.set_dc(1, *box.dcs[1])
        with pytest.raises(AuthKeyNotFound):
            async with connected(box, session):
                pass


async def test_a_forgotten_key_ends_the_client() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.forget_key(1001)
        with pytest.raises(AuthKeyNotFound):
            await client.disconnected
        assert not box.keys


async def test_a_signed_out_key_stays_but_is_nobody() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        [key] = box.keys.values()
        box.sign_out(key)
        with pytest.raises(UnauthorizedError):
            await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
        assert (await client(NEAREST)).this_dc == 2


# What can go wrong with the whole server


async def test_clients_survive_a_restart() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice"), connection_retries=1000) as client:
        ports = dict(box.dcs)
        await box.restart()
        assert (await asyncio.wait_for(client.get_me(), WITHIN)).id == 1001
        assert box.dcs == ports


async def test_salts_rotate_under_load_and_nothing_runs_twice() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.Act(lambda call: box.rotate_salts()), times=20, skip=5)
        for _ in range(10):
            await asyncio.wait_for(asyncio.gather(*(client(NEAREST) for _ in range(30))), WITHIN)
        assert calls(box) == [None] * 300


async def test_dropped_connections_of_one_account_leave_the_others() -> None:
    async with (
        sandbox() as box,
        connected(box, box.sign_in("alice")) as alice,
        connected(box, box.sign_in("bob")),
    ):
        [bobs] = [link for link in box.connections if link.key and link.key.account == 1002]
        box.drop_connections(1001)
        assert (await asyncio.wait_for(alice.get_me(), WITHIN)).id == 1001
        assert bobs in box.connections


# Faults of single calls


async def test_a_drop_before_the_handler_lets_the_call_run_once() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.DropBefore())
        assert await asyncio.wait_for(client(NEAREST), WITHIN)
        assert calls(box) == [None]


async def test_a_drop_after_the_handler_lets_the_call_run_twice() -> None:
    """Telethon sends the request again under a new id, so the real network does the same."""
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.DropAfter())
        assert await asyncio.wait_for(client(NEAREST), WITHIN)
        assert calls(box) == [None, None]


async def test_a_delay_holds_back_one_answer_only() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.Delay(3600))
        slow = asyncio.create_task(client(NEAREST))
        while not calls(box):
            await client(functions.PingRequest(1))
        assert await client(NEAREST)
        assert not slow.done()
        slow.cancel()


async def test_latency_is_that_of_every_answer() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.latency = 3600
        slow = [asyncio.create_task(client(NEAREST)) for _ in range(2)]
        while len(calls(box)) < 2:
            await client(functions.PingRequest(1))
        await client(functions.PingRequest(2))
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()


async def test_an_error_comes_in_place_of_the_handler() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.FloodWait(7))
        with pytest.raises(FloodWaitError) as caught:
            await client(NEAREST)
        assert caught.value.seconds == 7
        assert calls(box) == ["FLOOD_WAIT_7"]


async def test_a_lost_key_ends_the_call_and_the_client() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:
        box.faults.on("help.getNearestDc", faults.LoseKey())
        with pytest.raises(AuthKeyNotFound):
            await client(NEAREST)
        assert not box.keys


async def test_the_world_can_change_just_before_a_call() -> None:
    async with sandbox() as box, connected(box, box.sign_in("alice")) as client:

        def rename(call: Any) -> None:
            call.me.first_name = "Alicia"

        box.faults.on("users.getUsers", faults.Act(rename), account=1001)
        assert (await client.get_me()).first_name == "Alicia"


async def test_a_bug_is_answered_kept_and_raised_at_the_end() -> None:
    def bug(call: Any) -> None:
        raise ZeroDivisionError

    async def use() -> None:
        async with sandbox() as box, RawClient(box, known(box)) as client:
            box.faults.on("help.getNearestDc", faults.Act(bug))
            assert (await client.call(NEAREST)).error_code == 500
            assert (await client.call(NEAREST)).this_dc == 2

    with pytest.raises(ExceptionGroup) as caught:
        await use()
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]


async def test_a_bug_does_not_hide_what_went_wrong_first() -> None:
    async def use() -> None:
        async with sandbox() as box:
            box.failures.append(ZeroDivisionError())
            raise KeyError

    with pytest.raises(KeyError):
        await use()


# The log


async def test_the_log_knows_method_account_time_and_parameters() -> None:
    async with (
        sandbox(clock=lambda: 1234.5) as box,
        connected(box, box.sign_in("alice")) as client,
    ):
        await client(functions.help.GetAppConfigRequest(1_234_567_890))
        line = box.log[-1]
        assert (line.method, line.account, line.time, line.error) == ("help.getAppConfig", 1001, 1234.5, None)
        assert line.parameters == {"hash": 1_234_567_890}
        assert "1234567890" not in repr(line)


def test_logged_parameters_are_those_on_the_wire_with_secrets_masked() -> None:
    sign_in = functions.auth.SignInRequest("9996620001", "hash", phone_code="22222")
    assert parameters(sign_in) == {
        "phone_number": "9996620001", "phone_code_hash": MASK, "phone_code": MASK
    }  # fmt: skip
    bot = functions.auth.ImportBotAuthorizationRequest(0, 1, "hash", "2001:secret")
    assert parameters(bot) == {"flags": 0, "api_id": 1, "api_hash": MASK, "bot_auth_token": MASK}
    view = mtproto.read_object(
        bytes(functions.messages.RequestWebViewRequest(types.InputPeerSelf(), types.InputUserSelf(), "web"))
    )
    assert set(parameters(view)) == {"peer", "bot", "platform"}
    off = mtproto.read_object(
        bytes(functions.messages.ToggleBotInAttachMenuRequest(types.InputUserSelf(), enabled=False))
    )
    assert parameters(off)["enabled"] is False


# Updates


async def test_updates_reach_every_connection_of_the_account_but_one() -> None:
    async with (
        sandbox() as box,
        connected(box, box.sign_in("alice")) as first,
        connected(box, box.sign_in("alice")) as second,
        connected(box, box.sign_in("alice"), receive_updates=False) as silent,
        connected(box, box.sign_in("bob")) as bob,
    ):
        got: dict[str, asyncio.Future[Any]] = {}
        for name, client in [("first", first), ("second", second), ("silent", silent), ("bob", bob)]:
            listen(client, got.setdefault(name, asyncio.get_running_loop().create_future()))
        key = box.keys[first.session.auth_key.key_id]
        assert box.push(1001, [types.UpdateContactsReset()], besides=key) == 1
        assert isinstance(await asyncio.wait_for(got["second"], WITHIN), types.UpdateContactsReset)
        assert box.push(1001, [types.UpdateConfig()]) == 2
        assert isinstance(await asyncio.wait_for(got["first"], WITHIN), types.UpdateConfig)
        assert box.connected(1001)
        await asyncio.gather(silent(NEAREST), bob(NEAREST))
        assert not got["silent"].done()
        assert not got["bob"].done()


def listen(client: Any, first: "asyncio.Future[Any]") -> None:
    async def take(update: Any) -> None:
        if not first.done():
            first.set_result(update)

    client.add_event_handler(take, events.Raw((types.UpdateContactsReset, types.UpdateConfig)))


async def test_nobody_is_reached_when_nobody_is_there() -> None:
    async with sandbox() as box:
        box.sign_in("alice")
        assert not box.connected(1001)
        assert box.push(1001, [types.UpdateConfig()]) == 0


async def test_a_connection_is_announced_once_and_again_after_a_reconnect() -> None:
    async with sandbox() as box:
        here: asyncio.Queue[tuple[int, AuthKey]] = asyncio.Queue()
        box.on_connected.append(lambda account, key: here.put_nowait((account, key)))
        async with connected(box, box.sign_in("alice")) as client:
            [key] = box.keys.values()
            await client(NEAREST)
            assert here.get_nowait() == (1001, key)
            assert here.empty()
            box.drop_connections()
            await client(NEAREST)
            assert await asyncio.wait_for(here.get(), WITHIN) == (1001, key)


# Clients that misbehave, and what Telethon never does


class RawClient:
    """One connection over the full transport whose every message can be chosen."""

    def __init__(self, box: Sandbox, key: AuthKey, session_id: int = 5) -> None:
        self.box, self.key, self.session_id = box, key, session_id
        self.framing = Full()
        self.count = 0

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(*self.box.dcs[self.key.dc])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def new_id(self) -> int:
        self.count += 1
        return (int(time.time()) << 32) + 4 * self.count

    def send(self, body: Any, msg_id: int | None = None, salt: int | None = None) -> int:
        msg_id = msg_id or self.new_id()
        salt = self.key.sessions.salts.current(time.time()) if salt is None else salt
        message = mtproto.Message(salt, self.session_id, msg_id, 1, bytes(body))
        self.writer.write(self.framing.pack(mtproto.encrypt(self.key.key, message, from_client=True)))
        return msg_id

    async def packet(self) -> bytes:
        async with asyncio.timeout(WITHIN):
            length = int.from_bytes(head := await self.reader.readexactly(4), "little")
            return (head + await self.reader.readexactly(length - 4))[8:-4]

    async def said(self) -> list[Any]:
        """The objects of the next packet."""
        body = mtproto.decrypt(self.key.key, await self.packet(), from_client=False).body
        outer = BinaryReader(body).tgread_object()
        return [inner.obj for inner in outer.messages] if isinstance(outer, MessageContainer) else [outer]

    async def result(self, msg_id: int) -> Any:
        """The answer to a request, or its rpc_error."""
        while True:
            for said in await self.said():
                if isinstance(said, RpcResult) and said.req_msg_id == msg_id:
                    return said.error or BinaryReader(said.body).tgread_object()

    async def call(self, query: Any) -> Any:
        return await self.result(self.send(query))


def known(box: Sandbox, account: str = "alice") -> AuthKey:
    """A key that is signed in and has introduced itself."""
    key = box.keys[box.sign_in(account).auth_key.key_id]
    key.layer = 229
    return key


async def test_a_client_has_to_introduce_itself() -> None:
    async with sandbox() as box:
        key = box.keys[box.sign_in("alice").auth_key.key_id]
        async with RawClient(box, key) as client:
            assert (await client.call(NEAREST)).error_message == "CONNECTION_NOT_INITED"
            init = functions.InitConnectionRequest(box.api_id, "", "", "", "en", "", "en", NEAREST)
            assert (await client.call(functions.InvokeWithLayerRequest(228, init))).this_dc == 2
            assert key.layer == 228
            assert (await client.call(NEAREST)).this_dc == 2


async def test_a_client_is_announced_as_soon_as_it_has_introduced_itself() -> None:
    async with sandbox() as box:
        here: list[int] = []
        box.on_connected.append(lambda account, key: here.append(account))
        key = box.keys[box.sign_in("alice").auth_key.key_id]
        async with RawClient(box, key) as client:
            await client.call(NEAREST)
            assert here == []
            init = functions.InitConnectionRequest(box.api_id, "", "", "", "en", "", "en", NEAREST)
            await client.call(functions.InvokeWithLayerRequest(228, init))
            assert here == [1001]


@pytest.mark.parametrize(
    "body",
    [mtproto.serialize(True), mtproto.serialize([NEAREST]), bytes(types.InputPeerSelf()), b"\1\2\3\4"],
)
@pytest.mark.parametrize(
    "wrap", [b"", struct.pack("<I", functions.InvokeWithoutUpdatesRequest.CONSTRUCTOR_ID)]
)
async def test_what_is_no_request_is_no_valid_method(wrap: bytes, body: bytes) -> None:
    async with sandbox() as box, RawClient(box, known(box)) as client:
        error = await client.call(wrap + body)
        assert (error.error_code, error.error_message) == (400, "INPUT_METHOD_INVALID")


async def test_a_request_repeated_on_a_new_connection_is_answered_from_memory() -> None:
    async with sandbox() as box:
        key = known(box)
        async with RawClient(box, key) as first:
            msg_id = first.send(NEAREST)
            answer = await first.result(msg_id)
        async with RawClient(box, key) as second:
            second.send(NEAREST, msg_id)
            assert await second.result(msg_id) == answer
        assert calls(box) == [None]


async def test_a_request_dropped_before_it_ran_runs_when_it_is_repeated() -> None:
    async with sandbox() as box:
        key = known(box)
        box.faults.on("help.getNearestDc", faults.DropBefore())
        async with RawClient(box, key) as first:
            msg_id = first.send(NEAREST)
            assert await first.reader.read() == b""
        assert calls(box) == []
        async with RawClient(box, key) as second:
            second.send(NEAREST, msg_id)
            assert (await second.result(msg_id)).this_dc == 2
        assert calls(box) == [None]


async def test_an_answer_cut_off_waits_for_the_same_session() -> None:
    async with sandbox() as box:
        key = known(box)
        box.faults.on("help.getNearestDc", faults.DropAfter())
        async with RawClient(box, key) as first:
            msg_id = first.send(NEAREST)
            assert await first.reader.read() == b""
        async with RawClient(box, key) as second:
            second.send(functions.PingRequest(1))
            assert (await second.result(msg_id)).this_dc == 2
        assert calls(box) == [None]


async def test_a_client_is_disconnected_when_it_asked_for_it() -> None:
    async with sandbox() as box, RawClient(box, known(box)) as client:
        client.send(functions.PingDelayDisconnectRequest(1, 0))
        assert any(isinstance(said, types.Pong) for said in await client.said())
        async with asyncio.timeout(WITHIN):
            assert await client.reader.read() == b""


async def test_a_key_destroys_itself() -> None:
    async with sandbox() as box, RawClient(box, known(box)) as client:
        client.send(functions.DestroyAuthKeyRequest())
        assert any(isinstance(said, types.DestroyAuthKeyOk) for said in await client.said())
        assert struct.unpack("<i", await client.packet()) == (-404,)
        assert not box.keys


@pytest.mark.parametrize(
    "step",
    [
        functions.SetClientDHParamsRequest(1, 2, b"x"),
        NEAREST,
        types.MsgsAck([]),
        functions.PingRequest(1),
    ],
)
async def test_a_slip_in_the_key_exchange_is_never_answered_with_an_error(step: Any) -> None:
    """An answer of -404 would make real clients start over for ever: the connection is closed instead."""
    async with sandbox() as box:
        reader, writer = await asyncio.open_connection(*box.dcs[2])
        body = bytes(step)
        writer.write(Full().pack(struct.pack("<qqI", 0, 4, len(body)) + body))
        writer.write_eof()
        async with asyncio.timeout(WITHIN):
            assert await reader.read() == b""
        writer.close()
        assert box.failures == []


async def test_a_forged_message_closes_its_connection_only() -> None:
    async with sandbox() as box, RawClient(box, known(box)) as good, RawClient(box, good.key) as bad:
        packet = struct.pack("<Q", good.key.id) + os.urandom(16 + 64)
        bad.writer.write(bad.framing.pack(packet))
        async with asyncio.timeout(WITHIN):
            assert await bad.reader.read() == b""
        assert (await good.call(NEAREST)).this_dc == 2


async def test_a_reader_that_is_too_slow_is_disconnected() -> None:
    async with (
        sandbox() as box,
        RawClient(box, known(box)) as slow,
        RawClient(box, known(box, "bob")) as other,
    ):
        await slow.call(NEAREST)
        big = [types.UpdateContactsReset()] * 100_000
        pushes = 0
        while box.push(1001, big):
            pushes += 1
            assert pushes < 2 * _MOST_UNREAD / 400_000 + 20
            assert (await other.call(NEAREST)).this_dc == 1
        await other.call(NEAREST)
        assert len(box.connections) == 1


async def test_an_expired_temporary_key_is_not_known() -> None:
    async with sandbox() as box:
        key = box.add_key(os.urandom(256), 2, expires_in=-1)
        async with RawClient(box, key) as client:
            client.send(NEAREST)
            assert struct.unpack("<i", await client.packet()) == (-404,)


def binding(permanent: AuthKey, temporary: AuthKey, session_id: int, **changed: int) -> Any:
    """auth.bindTempAuthKey as a client makes it; the sealed half is a message of MTProto 1.0."""
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    signed = [struct.unpack("<q", struct.pack("<Q", key.id))[0] for key in (temporary, permanent)]
    inner = types.BindAuthKeyInner(changed.get("nonce", 7), *signed, session_id, expires_at)
    body = bytes(inner)
    plain = os.urandom(16) + struct.pack("<qiI", 4, 0, len(body)) + body
    secret, name = permanent.key, sha1(plain).digest()[4:20]
    a, b = sha1(name + secret[:32]).digest(), sha1(secret[32:48] + name + secret[48:64]).digest()
    c, d = sha1(secret[64:96] + name).digest(), sha1(name + secret[96:128]).digest()
    aes = a[:8] + b[8:20] + c[4:16], a[8:20] + b[:8] + c[16:20] + d[:8]
    sealed = AES.encrypt_ige(plain + os.urandom(-len(plain) % 16), *aes)
    return functions.auth.BindTempAuthKeyRequest(
        signed[1], 7, expires_at, struct.pack("<Q", permanent.id) + name + bytes(sealed)
    )


async def test_a_temporary_key_stands_for_the_one_it_is_bound_to() -> None:
    async with sandbox() as box:
        permanent = known(box)
        temporary = box.add_key(os.urandom(256), 2, expires_in=3600)
        async with RawClient(box, temporary) as client:
            assert (await client.call(NEAREST)).error_message == "AUTH_KEY_PERM_EMPTY"
            wrong = binding(permanent, temporary, client.session_id, nonce=8)
            assert (await client.call(wrong)).error_message == "ENCRYPTED_MESSAGE_INVALID"
            assert await client.call(binding(permanent, temporary, client.session_id)) is True
            [me] = await client.call(functions.users.GetUsersRequest([types.InputUserSelf()]))
            assert me.id == 1001
            assert box.push(1001, [types.UpdateConfig()]) == 1
            box.forget(permanent)
            assert not box.keys


async def throw(box: Sandbox, stream: bytes) -> None:
    """Send a stream from a stranger and see that others are still served."""
    reader, writer = await asyncio.open_connection(*box.dcs[2])
    writer.write(stream)
    writer.write_eof()
    async with asyncio.timeout(WITHIN):
        await reader.read()
    writer.close()
    async with RawClient(box, known(box)) as client:
        assert (await client.call(NEAREST)).this_dc == 2


def test_garbage_never_ends_the_server() -> None:
    with sandbox().in_thread() as box:

        @settings(max_examples=100, deadline=None)
        @given(
            st.sampled_from([b"", b"\xef", b"\xee" * 4, b"\xdd" * 4, struct.pack("<II", 40, 0)]),
            st.sampled_from([b"", b"\x0a" + bytes(19), b"\x28\0\0\0" + bytes(19)]),
            st.binary(max_size=600),
        )
        def attack(tag: bytes, plain: bytes, rest: bytes) -> None:
            asyncio.run(throw(box, tag + plain + rest))

        attack()
        assert box.failures == []


async def misuse(box: Sandbox, bodies: list[bytes]) -> None:
    """Send anything under a known key: every message is legal but for its body."""
    async with RawClient(box, known(box)) as client:
        for body in bodies:
            body += bytes(-len(body) % 4)
            client.send(body)
            client.send(GzipPacked(body))
            client.send(struct.pack("<II", functions.InvokeWithLayerRequest.CONSTRUCTOR_ID, 229) + body)
        assert (await client.call(NEAREST)).this_dc == 2


def test_a_client_with_a_key_cannot_end_the_server_either() -> None:
    requests = [NEAREST, functions.users.GetUsersRequest([types.InputUserSelf()]), functions.PingRequest(1)]
    with sandbox().in_thread() as box:

        @settings(max_examples=60, deadline=None)
        @given(st.lists(st.binary(max_size=100) | st.sampled_from(list(map(bytes, requests))), max_size=20))
        def attack(bodies: list[bytes]) -> None:
            asyncio.run(misuse(box, bodies))

        attack()
        assert box.failures == []


# Threads


def test_a_sandbox_runs_in_a_thread_for_synchronous_code() -> None:
    async def look(box: Sandbox, session: Any) -> Any:
        async with connected(box, session) as client:
            assert await asyncio.to_thread(box.connected, 1001)
            assert await asyncio.to_thread(box.push, 1001, [types.UpdateConfig()]) == 1
            await asyncio.to_thread(box.run, box.restart())
            return await asyncio.wait_for(client.get_me(), WITHIN)

    with sandbox().in_thread() as box:
        assert asyncio.run(look(box, box.sign_in("alice"))).id == 1001
        box.drop_connections()
        box.rotate_salts()


def test_a_thread_hands_on_what_went_wrong() -> None:
    with pytest.raises(ExceptionGroup), sandbox().in_thread() as box:
        box.failures.append(ZeroDivisionError())
    with sandbox().in_thread() as first:
        second = sandbox(port=first.dcs[2][1]).in_thread()
        with pytest.raises(OSError, match="address already in use"):
            second.__enter__()


def test_a_part_is_made_once() -> None:
    class Notes:
        def __init__(self, box: Sandbox) -> None:
            self.box = box

    box = sandbox()
    assert box.part(Notes) is box.part(Notes)
    assert box.part(Notes).box is box


def test_a_seed_makes_a_sandbox_repeat_itself() -> None:
    one, two, other = sandbox(seed=1), sandbox(seed=1), sandbox(seed=2)
    assert (one.secret, one.api_hash) == (two.secret, two.api_hash)
    assert one.secret != other.secret
    assert one.public_key != two.public_key
