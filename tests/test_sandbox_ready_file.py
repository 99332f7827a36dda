"""The ready file and the program that writes it."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.sessions import MemorySession
from telethon.tl import functions
from telethon.tl.alltlobjects import LAYER

from launcher.metapro import Wallet, stand_in_settings
from launcher.metapro.walletconnect import WalletConnect
from launcher.sandbox import ready_file
from launcher.sandbox.metapro import MetaproStandIn
from launcher.sandbox.program import serve, surroundings
from launcher.sandbox.server import Sandbox
from launcher.sandbox.site import Site
from launcher.sandbox.world import App, Bot, User, World


def sandbox(port: int = 0) -> Sandbox:
    world = World()
    world.add(
        User(1, "Alice", "9996620001", password="two-step"),
        User(2, "Bob", "9996620002", code="54321"),
        Bot(
            3,
            "shop_bot",
            "Shop",
            token="3:secret",
            apps={
                "shop": App("shop", "Shop", "https://shop.example/"),
                "old": App("old", "Old", "https://old.example/", active=False),
            },
        ),
    )
    return Sandbox(world, port=port)


def written(path: Path) -> dict[str, Any]:
    with sandbox().in_thread() as box:
        ready_file.write(path, ready_file.describe(box))
    content: dict[str, Any] = json.loads(path.read_text())
    return content


async def test_what_is_written_is_what_the_sandbox_is(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    async with sandbox() as box:
        ready_file.write(path, ready_file.describe(box))
        content = json.loads(path.read_text())
        assert content["dc"] == {"id": 2, "host": "127.0.0.1", "port": box.dcs[2][1]}
        assert [dc["id"] for dc in content["dcs"]] == [1, 2]
        assert content["public_key"] == box.public_key
        assert (content["api_id"], content["api_hash"]) == (box.api_id, box.api_hash)
        assert content["layer"] == LAYER
        assert content["init_data_public_key"] == box.init_data_public_key
    assert content["accounts"] == [
        {"name": "Bob", "user_id": 2, "phone": "9996620002", "code": "54321", "password": None},
        {"name": "Alice", "user_id": 1, "phone": "9996620001", "code": "22222", "password": "two-step"},
    ]
    assert content["bots"] == [{"username": "shop_bot", "id": 3, "token": "3:secret", "apps": ["shop"]}]


async def test_it_says_where_the_site_and_the_stand_in_are(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    async with sandbox() as box, MetaproStandIn(box) as metapro, Site(box, metapro=metapro) as site:
        ready_file.write(path, ready_file.describe(box, site))
        read = ready_file.read(path)
        assert read.site == f"http://127.0.0.1:{site.port}"
        assert read.metapro is not None
        assert read.metapro.services == metapro.services
        assert read.metapro.ids | read.metapro.keys == metapro.ids
        assert read.metapro.ids["bot_name"] == "shop_bot"
        assert read.metapro.assumption_model == metapro.label
        assert not [key for key in read.metapro.keys.values() if key in repr(read)]
    content = json.loads(path.read_text())
    content["metapro"]["services"]["nft"] = "https://api.metaproprotocol.com/ms/nft"
    path.write_text(json.dumps(content))
    with pytest.raises(ready_file.BadReadyFile, match=r"metapro\.services\.nft: "):
        ready_file.read(path)


async def test_a_wallet_gets_to_the_relay_that_it_names() -> None:
    async with sandbox() as box, surroundings(box) as described:
        settings = stand_in_settings(described, _env_file=None)
        assert described.metapro is not None
        assert settings.relay_url == described.metapro.relay
        assert settings.relay_project is not None
        project = settings.relay_project.get_secret_value()
        async with WalletConnect(Wallet(), project_id=project, relay_url=settings.relay_url) as connect:
            assert connect.sessions == []


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("old")
    path.chmod(0o644)
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


async def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    async with sandbox() as box:
        ready_file.write(path, ready_file.describe(box))
        read = ready_file.read(path)
        assert read == ready_file.describe(box)
        assert box.api_hash not in repr(read)
    assert "54321" not in repr(read)
    assert "3:secret" not in repr(read)
    assert "two-step" not in repr(read)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("dc", "host"), "149.154.167.51", "dc.host: .*loopback"),
        (("dcs", 0, "host"), "192.168.0.1", "dcs.0.host: .*loopback"),
        (("dc", "host"), "telegram.org", "dc.host: "),
        (("dc", "port"), 0, "dc.port: "),
        (("public_key",), "ssh-rsa AAAA", "public_key: .*PKCS#1"),
        (("init_data_public_key",), "xyz", "init_data_public_key: "),
        (("accounts",), None, "accounts: "),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(
    tmp_path: Path, place: tuple[Any, ...], value: Any, message: str
) -> None:
    path = tmp_path / "ready.json"
    content: Any = written(path)
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ready_file.BadReadyFile, match=message) as caught:
        ready_file.read(path)
    assert "\n" not in str(caught.value)
    assert content["api_hash"] not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"null", b"{}"])
def test_a_broken_file_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ready.json"
    path.write_bytes(content)
    with pytest.raises(ready_file.BadReadyFile, match=r"ready\.json") as caught:
        ready_file.read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ready_file.BadReadyFile, match="No such file"):
        ready_file.read(tmp_path / "ready.json")


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_the_program_serves_until_it_is_told_to_stop(tmp_path: Path, name: signal.Signals) -> None:
    path = tmp_path / "ready.json"
    seen: list[Any] = []

    def stop(ready: ready_file.ReadyFile) -> None:
        seen.append(ready_file.read(path))
        assert seen == [ready]
        os.kill(os.getpid(), name)

    await serve(ready_file=path, sandbox=sandbox(), on_ready=stop)
    assert [account.name for account in seen[0].accounts] == ["Bob", "Alice"]
    assert not path.exists()


PROGRAM = """
import asyncio
from pathlib import Path
from launcher.sandbox.metapro import MetaproStandIn
from launcher.sandbox.program import serve
from tests.test_sandbox_ready_file import sandbox
ready = lambda described: print("ready", flush=True)
asyncio.run(serve(ready_file=Path({path!r}), sandbox=sandbox(), on_ready=ready))
"""


def test_another_process_needs_nothing_but_the_ready_file(tmp_path: Path) -> None:
    """A plain Telethon client with a key of its own making, against a sandbox in a process of its own."""
    path = tmp_path / "ready.json"
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", PROGRAM.format(path=str(path))]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            asyncio.run(use(ready_file.read(path)))
        finally:
            program.terminate()
    assert program.returncode == 0
    assert not path.exists()


async def use(ready: ready_file.ReadyFile) -> None:
    from telethon.crypto import rsa

    session = MemorySession()
    session.set_dc(ready.dc.id, ready.dc.host, ready.dc.port)
    before = dict(rsa._server_keys)
    rsa.add_key(ready.public_key, old=False)
    TelegramClient._config = None
    client = TelegramClient(session, ready.api_id, ready.api_hash)
    try:
        await client.connect()
        assert (await client(functions.help.GetNearestDcRequest())).this_dc == ready.dc.id
    finally:
        await client.disconnect()
        TelegramClient._config = None
        rsa._server_keys.clear()
        rsa._server_keys.update(before)
