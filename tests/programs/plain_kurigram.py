"""Plain Kurigram against a sandbox, which another terminal runs: `miniapp sandbox --ready-file sandbox.json`.

    python plain_kurigram.py sandbox.json

Signs in as the first account, opens a bot's direct-link app and prints its launch parameters, without what
proves to the app who the account is. Nothing of miniapp-launcher is needed: the ready file says it all.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pyrogram import Client
from pyrogram.connection import Connection
from pyrogram.crypto import rsa
from pyrogram.raw.core.primitives import Bytes
from pyrogram.raw.functions.messages import GetBotApp, RequestAppWebView
from pyrogram.raw.types import InputBotAppShortName, InputPeerUser, InputUser


async def main(ready: dict[str, Any]) -> None:
    trust(ready["public_key"])
    places = {dc["id"]: dc for dc in ready["dcs"]}

    def connection(**wanted: Any) -> Any:
        """Kurigram knows Telegram's addresses by heart; this puts the sandbox's in their place."""
        place = places[wanted["dc_id"]]
        return Connection(**wanted | {"server_address": place["host"], "port": place["port"]})

    client = Client(
        "plain",
        api_id=ready["api_id"],
        api_hash=ready["api_hash"],
        in_memory=True,
        connection_factory=connection,
    )
    await client.connect()
    try:
        await sign_in(client, ready["accounts"][0])
        bot = next(bot for bot in ready["bots"] if bot["apps"])
        for name, value in masked(await open_app(client, bot)):
            print(f"{name:<22}{value}")  # noqa: T201
    finally:
        await client.disconnect()


def trust(pem: str) -> None:
    """Let Kurigram know the sandbox's RSA key, by the fingerprint that MTProto gives it."""
    key: Any = load_pem_public_key(pem.encode())
    numbers = key.public_numbers()
    n, e = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
    fingerprint = int.from_bytes(sha1(Bytes(n) + Bytes(e)).digest()[-8:], "little", signed=True)
    rsa.server_public_keys[fingerprint] = rsa.PublicKey(numbers.n, numbers.e)


async def sign_in(client: Any, account: dict[str, Any]) -> None:
    sent = await client.send_phone_number_code(account["phone"])
    me = await client.sign_in(account["phone"], sent.phone_code_hash, account["code"])
    assert me.id == account["user_id"]


async def open_app(client: Any, bot: dict[str, Any]) -> str:
    """The launch URL, a secret: whoever has it is this user, as far as the app's server knows."""
    found = await client.resolve_peer(bot["username"])
    user = InputUser(user_id=found.user_id, access_hash=found.access_hash)
    peer = InputPeerUser(user_id=found.user_id, access_hash=found.access_hash)
    name = InputBotAppShortName(bot_id=user, short_name=bot["apps"][0])
    told = await client.invoke(GetBotApp(app=name, hash=0))
    assert told.app.short_name == bot["apps"][0]
    view = await client.invoke(RequestAppWebView(peer=peer, app=name, platform="android"))
    return str(view.url)


def masked(url: str) -> Iterator[tuple[str, str]]:
    """What a launch URL says, by name: the page's origin, the launch parameters, the fields of the init data;
    `***` for those by which the app's server knows the user."""
    parts = urlsplit(url)
    yield "page", f"{parts.scheme}://{parts.netloc}"
    for name, value in parse_qsl(parts.fragment):
        if name != "tgWebAppData":
            yield name, value
            continue
        for field, content in parse_qsl(value):
            yield f"  {field}", "***" if field in ("hash", "signature", "query_id") else content


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asyncio.run(main(json.load(file)))
