"""Kurigram, which shares no code with the sandbox, uses it as it would use Telegram.

Client and server of every other test share Telethon's TL classes; here bytes, encryption, key exchange and
framing are read by somebody else's code.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.connection.transport import TCP, TCPAbridged, TCPFull, TCPIntermediateO, TCPIntermediatePadded
from pyrogram.crypto import rsa
from pyrogram.errors import PhoneCodeInvalid, QueryIdInvalid, SessionPasswordNeeded
from pyrogram.handlers import MessageHandler, RawUpdateHandler
from pyrogram.raw.functions import messages, users
from pyrogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputTextMessageContent,
)

from launcher.sandbox.default_world import default_world
from launcher.sandbox.mailbox import post
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Bot, Channel, User, World

ALICE, BOB, CAROL, BOT, GROUP = range(101, 106)
WAIT = 60.0


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
    return trusted(Sandbox(world()), tmp_path, monkeypatch)


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The same with the world a sandbox starts with when it is given none."""
    return trusted(Sandbox(default_world()), tmp_path, monkeypatch)


def trusted(made: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
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
        workers=1,  # several would hand messages over in no order
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
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def put(_: Client, message: Any) -> None:
        await received.put(message)

    client.add_handler(MessageHandler(put))
    return received


async def read(received: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(WAIT):
        return await received.get()


@pytest.mark.parametrize("framing", [TCPAbridged, TCPIntermediateO], ids=lambda framing: framing.__name__)
async def test_a_user_signs_in_and_is_sent_a_message(sandbox: Sandbox, framing: type[TCP]) -> None:
    async with sandbox, kurigram(sandbox, framing) as client:
        received = inbox(client)
        with pytest.raises(PhoneCodeInvalid):
            await sign_in(client, "+9996620001", "00000")
        assert (await sign_in(client, "+9996620001", "22222")).id == ALICE
        me = await client.get_me()
        assert (me.id, me.first_name) == (ALICE, "Alice")
        post(sandbox, BOT, ALICE, "hello")
        message = await read(received)
        assert (message.text, message.from_user.id, message.chat.id) == ("hello", BOT, BOT)


@pytest.mark.parametrize("framing", [TCPFull, TCPIntermediatePadded], ids=lambda framing: framing.__name__)
async def test_a_bot_signs_in_and_is_sent_a_message(sandbox: Sandbox, framing: type[TCP]) -> None:
    async with sandbox, kurigram(sandbox, framing, bot_token=f"{BOT}:token") as client:
        received = inbox(client)
        assert (client.me.id, client.me.is_bot) == (BOT, True)
        post(sandbox, ALICE, BOT, "/start")
        message = await read(received)
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
        received = inbox(client)
        await sign_in(client, "+9996620001", "22222")
        post(sandbox, BOB, GROUP, "who am I?")
        message = await read(received)
        assert (message.text, message.from_user.id, message.from_user.is_min) == ("who am I?", BOB, False)
        assert "updates.getChannelDifference" in [line.method for line in sandbox.log]


# Web views


@pytest.fixture(params=[TCPAbridged, TCPIntermediateO], ids=lambda framing: framing.__name__)
def framing(request: pytest.FixtureRequest) -> type[TCP]:
    made: type[TCP] = request.param
    return made


@asynccontextmanager
async def user_and_bot(sandbox: Sandbox, framing: type[TCP]) -> AsyncIterator[tuple[Client, Client]]:
    """Alice and the bot of the demo, both with Kurigram and a key of their own making."""
    token = sandbox.world.bot("demo_bot").token
    async with (
        asyncio.timeout(3 * WAIT),
        sandbox,
        kurigram(sandbox, framing) as user,
        kurigram(sandbox, framing, bot_token=token) as bot,
    ):
        await sign_in(user, "+9996621111", "22222")
        yield user, bot


async def addressed(user: Client) -> dict[str, Any]:
    """The bot of the demo and the chat with it, as the parameters of a request."""
    peer = await user.resolve_peer("demo_bot")
    return {"peer": peer, "bot": raw.types.InputUser(user_id=peer.user_id, access_hash=peer.access_hash)}


def results_sent(client: Client) -> asyncio.Queue[int]:
    """The query ids of every updateWebViewResultSent that comes."""
    received: asyncio.Queue[int] = asyncio.Queue()

    async def put(_: Client, update: Any, *__: Any) -> None:
        if isinstance(update, raw.types.UpdateWebViewResultSent):
            await received.put(update.query_id)

    client.add_handler(RawUpdateHandler(put))
    return received


async def keyboards(user: Client) -> list[Any]:
    """The keyboards that lie in the chat with the bot, the newest first."""
    lying = [message.reply_markup async for message in user.get_chat_history("demo_bot")]
    return [keyboard for keyboard in lying if keyboard]


async def url_of_the_inline_button(user: Client) -> str:
    inline = next(one for one in await keyboards(user) if hasattr(one, "inline_keyboard"))
    url: str = inline.inline_keyboard[0][0].web_app.url
    return url


async def url_of_the_menu_button(user: Client) -> str:
    full = await user.invoke(users.GetFullUser(id=(await addressed(user))["bot"]))
    url: str = full.full_user.bot_info.menu_button.url
    return url


def query_text(url: str) -> str:
    """The query's id as the page and its bot know it."""
    [data] = parse_qs(urlsplit(url).fragment)["tgWebAppData"]
    [text] = parse_qs(data)["query_id"]
    return text


ANSWER = InlineQueryResultArticle(
    "Title",
    InputTextMessageContent("An answer"),
    # Without a keyboard the answer has no inline message id, which Kurigram takes for granted.
    reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("More", url="https://demo.example/more")]]),
)


@pytest.mark.parametrize("menu", [False, True], ids=["inline button", "menu button"])
async def test_an_app_lives_until_its_bot_answers(demo: Sandbox, framing: type[TCP], menu: bool) -> None:
    async with user_and_bot(demo, framing) as (user, bot):
        received, sent, there = inbox(user), results_sent(user), await addressed(user)
        url = await (url_of_the_menu_button if menu else url_of_the_inline_button)(user)
        request = messages.RequestWebView(**there, url=url, platform="android", from_bot_menu=menu or None)
        view = await user.invoke(request)
        assert view.url.startswith(f"{url}#")
        prolong = messages.ProlongWebView(**there, query_id=view.query_id)
        assert await user.invoke(prolong) is True
        assert (await bot.answer_web_app_query(query_text(view.url), ANSWER)).inline_message_id
        assert await read(sent) == view.query_id
        posted = await read(received)
        assert (posted.text, posted.outgoing, posted.via_bot.username) == ("An answer", True, "demo_bot")
        assert posted.reply_markup.inline_keyboard[0][0].url == "https://demo.example/more"
        with pytest.raises(QueryIdInvalid):
            await user.invoke(prolong)


async def test_data_of_a_keyboard_button_reaches_the_bot_once(demo: Sandbox, framing: type[TCP]) -> None:
    async with user_and_bot(demo, framing) as (user, bot):
        received, there = inbox(bot), await addressed(user)
        reply = next(one for one in await keyboards(user) if hasattr(one, "keyboard"))
        button = reply.keyboard[0][0]
        view = await user.invoke(
            messages.RequestSimpleWebView(bot=there["bot"], url=button.web_app.url, platform="android")
        )
        assert view.query_id is None
        sent = {"bot": there["bot"], "button_text": button.text}
        for random_id, data in ((1, "«one»"), (1, "«one»"), (2, "two")):
            await user.invoke(messages.SendWebViewData(**sent, random_id=random_id, data=data))
        got = [(await read(received)).web_app_data for _ in range(2)]
        assert [(one.button_text, one.data) for one in got] == [(button.text, "«one»"), (button.text, "two")]
        await user.send_message("demo_bot", "the end")
        assert (await read(received)).text == "the end"


async def test_the_app_of_a_link(demo: Sandbox, framing: type[TCP]) -> None:
    async with user_and_bot(demo, framing) as (user, _):
        there = await addressed(user)
        name = raw.types.InputBotAppShortName(bot_id=there["bot"], short_name="app")
        found = await user.invoke(messages.GetBotApp(app=name, hash=0))
        same = await user.invoke(messages.GetBotApp(app=name, hash=found.app.hash))
        assert isinstance(same.app, raw.types.BotAppNotModified)
        by_id = raw.types.InputBotAppID(id=found.app.id, access_hash=found.app.access_hash)
        view = await user.invoke(
            messages.RequestAppWebView(peer=there["peer"], app=by_id, platform="ios", start_param="x")
        )
        assert view.query_id is None
        assert view.url.startswith("https://demo.example/app?tgWebAppStartParam=x#")
        assert parse_qs(urlsplit(view.url).fragment)["tgWebAppPlatform"] == ["ios"]
