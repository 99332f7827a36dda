"""Plain Telethon against a sandbox, which another terminal runs: `miniapp sandbox --ready-file sandbox.json`.

    python plain_telethon.py sandbox.json

Signs in as the first account, opens a bot's direct-link app and prints its launch parameters, without what
proves to the app who the account is. Nothing of miniapp-launcher is needed: the ready file says it all.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import MemorySession
from telethon.tl.functions.messages import GetBotAppRequest, RequestAppWebViewRequest
from telethon.tl.types import InputBotAppShortName


async def main(ready: dict[str, Any]) -> None:
    rsa.add_key(ready["public_key"], old=False)
    session = MemorySession()
    session.set_dc(ready["dc"]["id"], ready["dc"]["host"], ready["dc"]["port"])
    client = TelegramClient(session, ready["api_id"], ready["api_hash"])
    await client.connect()
    try:
        await sign_in(client, ready["accounts"][0])
        bot = next(bot for bot in ready["bots"] if bot["apps"])
        for name, value in masked(await open_app(client, bot)):
            print(f"{name:<22}{value}")  # noqa: T201
    finally:
        await client.disconnect()


async def sign_in(client: Any, account: dict[str, Any]) -> None:
    await client.send_code_request(account["phone"])
    me = await client.sign_in(account["phone"], account["code"])
    assert me.id == account["user_id"]


async def open_app(client: Any, bot: dict[str, Any]) -> str:
    """The launch URL, a secret: whoever has it is this user, as far as the app's server knows."""
    peer = await client.get_input_entity(bot["username"])
    name = InputBotAppShortName(bot_id=peer, short_name=bot["apps"][0])
    found = await client(GetBotAppRequest(app=name, hash=0))
    assert found.app.short_name == bot["apps"][0]
    view = await client(RequestAppWebViewRequest(peer=peer, app=name, platform="android"))
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
