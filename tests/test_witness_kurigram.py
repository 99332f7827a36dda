"""Kurigram, which shares no code with the sandbox, uses it as it would use Telegram.

Client and server of every other test share Telethon's TL classes; here bytes, encryption, key exchange and
framing are read by somebody else's code.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.connection.transport import TCP, TCPAbridged, TCPFull, TCPIntermediateO, TCPIntermediatePadded
from pyrogram.crypto import rsa
from pyrogram.errors import PhoneCodeInvalid, SessionPasswordNeeded
from pyrogram.handlers import MessageHandler

from launcher.sandbox.mailbox import post
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Bot, Channel, User, World

ALICE, BOB, CAROL, BOT, GROUP = range(101, 106)
WAIT = 10.0


def world() -> World:
    made = World()
    made.add(
        User(ALICE, "Alice", "9996620001"),
        User(BOB, "Bob", "9996610002", dc=1, code="11111"),
        User(CAROL, "Carol", "9996620003", password="a password"),
        Bot(BOT, "some_bot", "Some bot", f"{BOT}:token"),
        Channel(GROUP, "Supergroup", members={ALICE, BOB}),
    )
    return made


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox whose key Kurigram trusts; Kurigram's list of unknown errors, if any, goes to `tmp_path`."""
    made = Sandbox(world())
    monkeypatch.setitem(rsa.server_public_keys, made.rsa.fingerprint, rsa.PublicKey(made.rsa.n, made.rsa.e))
    monkeypatch.chdir(tmp_path)
    return made


@asynccontextmanager
async def kurigram(
    sandbox: Sandbox, framing: type[TCP] = TCPAbridged, **options: Any
) -> AsyncIterator[Client]:
    """A client that is connected to the sandbox; it is signed in as soon as its options suffice for that."""

    def to_the_sandbox(**wanted: Any) -> Any:
        host, port = sandbox.dcs[wanted["dc_id"]]
        return Connection(**wanted | {"server_address": host, "port": port})

    client = Client(
        "witness",
        api_id=sandbox.api_id,
        api_hash=sandbox.api_hash,
        in_memory=True,
        connection_factory=to_the_sandbox,
        protocol_factory=framing,
        **options,
    )
    async with asyncio.timeout(2 * WAIT):
        await (client.start() if options else client.connect())
    try:
        yield client
    finally:
        if client.is_initialized:
            await client.terminate()
        await client.disconnect()


async def sign_in(client: Client, phone: str, code: str) -> Any:
    sent = await client.send_phone_number_code(phone)
    user = await client.sign_in(phone, sent.phone_code_hash, code)
    await client.initialize()
    return user


def inbox(client: Client) -> asyncio.Queue[Any]:
    """The messages this client's handlers are given."""
    messages: asyncio.Queue[Any] = asyncio.Queue()

    async def put(_: Client, message: Any) -> None:
        await messages.put(message)

    client.add_handler(MessageHandler(put))
    return messages


async def read(messages: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(WAIT):
        return await messages.get()


@pytest.mark.parametrize("framing", [TCPAbridged, TCPIntermediateO], ids=lambda framing: framing.__name__)
async def test_a_user_signs_in_and_is_sent_a_message(sandbox: Sandbox, framing: type[TCP]) -> None:
    async with sandbox, kurigram(sandbox, framing) as client:
        messages = inbox(client)
        with pytest.raises(PhoneCodeInvalid):
            await sign_in(client, "+9996620001", "00000")
        assert (await sign_in(client, "+9996620001", "22222")).id == ALICE
        me = await client.get_me()
        assert (me.id, me.first_name) == (ALICE, "Alice")
        post(sandbox, BOT, ALICE, "hello")
        message = await read(messages)
        assert (message.text, message.from_user.id, message.chat.id) == ("hello", BOT, BOT)


@pytest.mark.parametrize("framing", [TCPFull, TCPIntermediatePadded], ids=lambda framing: framing.__name__)
async def test_a_bot_signs_in_and_is_sent_a_message(sandbox: Sandbox, framing: type[TCP]) -> None:
    async with sandbox, kurigram(sandbox, framing, bot_token=f"{BOT}:token") as client:
        messages = inbox(client)
        assert (client.me.id, client.me.is_bot) == (BOT, True)
        post(sandbox, ALICE, BOT, "/start")
        message = await read(messages)
        assert (message.text, message.from_user.id) == ("/start", ALICE)


async def test_the_two_step_password(sandbox: Sandbox) -> None:
    async with sandbox, kurigram(sandbox) as client:
        with pytest.raises(SessionPasswordNeeded):
            await sign_in(client, "+9996620003", "22222")
        assert (await client.check_password("a password")).id == CAROL


async def test_a_user_of_the_other_data_centre(sandbox: Sandbox) -> None:
    async with sandbox, kurigram(sandbox) as client:
        assert (await sign_in(client, "+9996610002", "11111")).id == BOB
        assert await client.storage.dc_id() == 1
        await client.invoke(raw.functions.updates.GetState())


async def test_a_stranger_in_a_supergroup_is_looked_up_by_the_difference(sandbox: Sandbox) -> None:
    """Kurigram does not content itself with a min user: it asks for the channel's difference at once."""
    async with sandbox, kurigram(sandbox) as client:
        messages = inbox(client)
        await sign_in(client, "+9996620001", "22222")
        post(sandbox, BOB, GROUP, "who am I?")
        message = await read(messages)
        assert (message.text, message.from_user.id, message.from_user.is_min) == ("who am I?", BOB, False)
        assert "updates.getChannelDifference" in [line.method for line in sandbox.log]
