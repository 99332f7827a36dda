"""`requestWebView` through Kurigram beside ours: the same request to the same sandbox.

Kurigram falls back to AES in pure Python unless a compiled one is there. Here it is lent the one that
Telethon uses, lest ciphers be compared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

import cryptg
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.connection.transport import TCPFull
from pyrogram.crypto import aes, rsa

from launcher.sandbox.exchange import fingerprint
from launcher.sandbox.ready_file import ReadyFile
from tests.bench.measuring import Sizes, compare
from tests.bench.requests import BOT, cases
from tests.bench.sandbox_process import SandboxProcess, launching, sandbox_process

__all__ = ["kurigram"]


async def kurigram(sizes: Sizes) -> dict[str, Any]:
    """Web views a second, one at a time and with many in flight; the ratio is our rate ÷ Kurigram's."""
    with sandbox_process() as place:
        async with launching(place) as launcher, _client(place) as client:
            menu = next(case for case in await cases(launcher.client) if case.flow == "menu_button")
            request = await _request(client)

            async def ours() -> None:
                await menu.open(launcher)

            async def theirs() -> None:
                assert (await client.invoke(request)).url

            alone = await compare(ours, theirs, rounds=sizes.rounds)
            crowded = await compare(ours, theirs, rounds=sizes.crowded_rounds, crowd=sizes.crowd)
    return {
        "one_at_a_time": _rates(alone),
        "in_flight": {"at_once": sizes.crowd, **_rates(crowded)},
    }


def _rates(compared: dict[str, float]) -> dict[str, float]:
    return {
        "ours_per_second": round(1000 / compared["ours_ms"], 1),
        "kurigram_per_second": round(1000 / compared["theirs_ms"], 1),
        "ratio": round(compared["theirs_ms"] / compared["ours_ms"], 3),
    }


@asynccontextmanager
async def _client(place: SandboxProcess) -> AsyncIterator[Client]:
    """Kurigram, signed in as the sandbox's first account, over the framing that ours uses too."""
    ready = place.ready

    def to_the_sandbox(**wanted: Any) -> Any:
        return Connection(**wanted | {"server_address": ready.dc.host, "port": ready.dc.port})

    client = Client(
        "bench",
        api_id=ready.api_id,
        api_hash=ready.api_hash,
        in_memory=True,
        connection_factory=to_the_sandbox,
        protocol_factory=TCPFull,
    )
    with (
        _trusted(ready),
        patch.multiple(aes, ige256_encrypt=cryptg.encrypt_ige, ige256_decrypt=cryptg.decrypt_ige),
    ):
        await client.connect()
        try:
            await _sign_in(client, ready)
            yield client
        finally:
            if client.is_initialized:
                await client.terminate()
            await client.disconnect()


async def _sign_in(client: Client, ready: ReadyFile) -> None:
    person = ready.accounts[0]
    sent = await client.send_phone_number_code(person.phone)
    await client.sign_in(person.phone, sent.phone_code_hash, person.code)
    await client.initialize()


@contextmanager
def _trusted(ready: ReadyFile) -> Iterator[None]:
    """Let Kurigram trust the sandbox's key, which it knows by the signed form of its fingerprint."""
    key = load_pem_public_key(ready.public_key.encode())
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    known_by = fingerprint(numbers.n, numbers.e)
    with patch.dict(rsa.server_public_keys, {known_by: rsa.PublicKey(numbers.n, numbers.e)}):
        yield


async def _request(client: Client) -> Any:
    """The menu button's request, everything about it known beforehand."""
    bot = await client.resolve_peer(BOT)
    user = raw.types.InputUser(user_id=bot.user_id, access_hash=bot.access_hash)
    full = await client.invoke(raw.functions.users.GetFullUser(id=user))
    return raw.functions.messages.RequestWebView(
        peer=bot,
        bot=user,
        platform="android",
        from_bot_menu=True,
        url=full.full_user.bot_info.menu_button.url,
    )
