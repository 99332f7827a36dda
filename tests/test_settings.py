"""Settings from the environment and `.env`, and the server they name."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError
from telethon import TelegramClient
from telethon.crypto import rsa

import launcher.settings
from flows.errors import MiniAppError
from launcher.connection import new_client
from launcher.sandbox.ready_file import describe, write
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import World
from launcher.servers import Server, sandbox_server, server_of, trusted
from launcher.settings import Proxy, Settings, SettingsError


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine the tests run on reaches them."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TELEGRAM_")]:
        monkeypatch.delenv(name)


def one_line(error: MiniAppError) -> str:
    assert "\n" not in str(error)
    assert error.meaning
    assert error.remedy
    return str(error)


# Where settings come from


def test_the_defaults_need_nothing() -> None:
    settings = Settings()
    assert (settings.server, settings.sessions) == ("production", Path("sessions"))
    assert settings.proxy_parts() is None
    assert settings.passphrase() is None


def test_the_environment_wins_over_the_file_and_arguments_over_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_API_ID=1\nTELEGRAM_SERVER=test\nTELEGRAM_SESSIONS=a\nOTHER=x\n")
    monkeypatch.setenv("TELEGRAM_SERVER", "sandbox")
    monkeypatch.setenv("TELEGRAM_SESSIONS", "b")
    settings = Settings(sessions=Path("c"))
    assert (settings.api_id, settings.server, settings.sessions) == (1, "sandbox", Path("c"))


def test_the_example_is_a_valid_file_that_changes_nothing(tmp_path: Path) -> None:
    example = Path(launcher.settings.__file__).parents[1] / ".env.example"
    text = example.read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert Settings() == Settings(_env_file=None)
    named = set(re.findall(r"^TELEGRAM_(\w+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_nothing_is_read_at_import() -> None:
    assert not [value for value in vars(launcher.settings).values() if isinstance(value, Settings)]


def test_secrets_are_masked() -> None:
    secrets = {
        "api_hash": "0123456789abcdef",
        "proxy": "socks5://u:hunter2@127.0.0.1:1080",
        "bot_token": "1:token",
        "session_passphrase": "open sesame",
        "code": "48151",
        "password": "swordfish",
    }
    settings = Settings(**secrets)
    shown = f"{settings!r} {settings!s} {settings.proxy_parts()!r}"
    assert [secret for secret in [*secrets.values(), "hunter2"] if secret in shown] == []


# What is wrong with them


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TELEGRAM_API_ID", "s3cr3t", "TELEGRAM_API_ID must be a whole number"),
        ("TELEGRAM_SESSION_KEYRING", "s3cr3t", "TELEGRAM_SESSION_KEYRING must be 1 or 0"),
    ],
)
@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_bad_value_is_named_but_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, expected: str, where: str
) -> None:
    if where == "file":
        (tmp_path / ".env").write_text(f"{name}={value}\n")
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert expected in one_line(caught.value)
    assert value not in str(caught.value)
    assert caught.value.__context__ is None, "pydantic's error holds the value"


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (make_folder, r"\.env cannot be read .* or remove it"),
        (lambda path: path.write_bytes(b"TELEGRAM_API_HASH=\xff\xfes3cr3t"), r"\.env is not UTF-8 text"),
        (lambda path: path.write_text("A=1\nTELEGRAM_API_HASH='s3cr3t\nB=2\n"), r"no setting: line 2"),
        (lambda path: path.write_text("A=1\n'unclosed s3cr3t\nB=2\n"), r"no setting: line 2"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    make(tmp_path / ".env")
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert re.search(expected, one_line(caught.value))
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "TELEGRAM_API_ID and TELEGRAM_API_HASH are not set"),
        ({"api_id": 1}, "TELEGRAM_API_HASH is not set"),
        ({"api_hash": "x"}, "TELEGRAM_API_ID is not set"),
    ],
)
@pytest.mark.parametrize("server", ["production", "test"])
def test_a_missing_api_id_says_where_to_get_it(given: dict[str, Any], missing: str, server: str) -> None:
    with pytest.raises(SettingsError) as caught:
        server_of(Settings(server=server, **given))
    assert missing in one_line(caught.value)
    assert "https://my.telegram.org/apps" in str(caught.value)


# Proxy


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("socks5://127.0.0.1:1080", Proxy("socks5", "127.0.0.1", 1080)),
        ("socks5://us%40er:p%3Aw@[::1]:1080", Proxy("socks5", "::1", 1080, "us@er", "p:w")),
        ("http://u:p@proxy.example:8080", Proxy("http", "proxy.example", 8080, "u", "p")),
        ("mtproxy://h:443?secret=" + "AB" * 16, Proxy("mtproxy", "h", 443, password="ab" * 16)),
        ("mtproxy://h:443?secret=dd" + "ab" * 16, Proxy("mtproxy", "h", 443, password="ab" * 16)),
    ],
)
def test_a_proxy_is_taken_apart_and_telethon_takes_it(text: str, proxy: Proxy) -> None:
    assert Settings(proxy=text).proxy_parts() == proxy
    server = Server("production", 2, "149.154.167.51", 443, 1, "hash", "")
    client = new_client(None, server, proxy=proxy)
    assert client.api_id == 1


@pytest.mark.parametrize(
    "text",
    [
        "s3cr3t",
        "socks5://s3cr3t",
        "socks5://s3cr3t:port",
        "socks5://s3cr3t:99999",
        "ftp://s3cr3t:1",
        "socks5://[s3cr3t:1",
        "mtproxy://s3cr3t:1",
        "mtproxy://s3cr3t:1?secret=abc",
        "mtproxy://s3cr3t:1?secret=ee" + "ab" * 16,
    ],
)
def test_a_bad_proxy_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(proxy=text).proxy_parts()
    assert "TELEGRAM_PROXY" in one_line(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_proxy_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [NothingInstalled()])
    monkeypatch.delitem(sys.modules, "python_socks", raising=False)
    with pytest.raises(SettingsError, match=r"pip install 'miniapp-launcher\[proxy\]'"):
        Settings(proxy="socks5://127.0.0.1:1080").proxy_parts()


class NothingInstalled:
    """Finds modules in an environment without any package."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        return None


# Keyring


class MemoryKeyring(KeyringBackend):  # type: ignore[misc]  # untyped
    """A keyring as the system has one, but for this process."""

    priority: ClassVar[float] = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def system_keyring() -> Any:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield keyring.get_keyring()
    keyring.set_keyring(before)


def test_the_keyring_gives_the_same_passphrase_every_time(system_keyring: MemoryKeyring) -> None:
    settings = Settings(session_keyring=True)
    first = settings.passphrase()
    assert first is not None
    assert len(first.get_secret_value()) >= 32
    assert settings.passphrase() == first
    assert list(system_keyring.kept.values()) == [first.get_secret_value()]


def test_a_passphrase_of_the_settings_wins_over_the_keyring(system_keyring: MemoryKeyring) -> None:
    passphrase = Settings(session_keyring=True, session_passphrase="mine").passphrase()
    assert passphrase is not None
    assert passphrase.get_secret_value() == "mine"
    assert system_keyring.kept == {}


def test_a_keyring_that_does_not_work_says_what_to_do(system_keyring: MemoryKeyring) -> None:
    class Broken(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            raise NoKeyringError("no backend")

    keyring.set_keyring(Broken())
    with pytest.raises(SettingsError, match="TELEGRAM_SESSION_PASSPHRASE instead"):
        Settings(session_keyring=True).passphrase()


# Servers


def test_production_and_test_are_telegrams_own_addresses() -> None:
    given: dict[str, Any] = {"api_id": 1, "api_hash": "h4sh"}
    production, test = (server_of(Settings(server=name, **given)) for name in ("production", "test"))
    assert (production.dc, production.host, production.port) == (2, "149.154.167.51", 443)
    assert (test.dc, test.host, test.port) == (2, "149.154.167.40", 443)
    assert production.public_key is None
    assert production.init_data_public_key != test.init_data_public_key
    assert production.folder != test.folder
    assert production.fingerprint is None
    assert test.fingerprint is None
    assert "h4sh" not in repr(production)


def test_the_test_servers_key_is_the_known_one() -> None:
    """TDLib and Telegram Desktop know it by this fingerprint."""
    with trusted(server_of(Settings(server="test", api_id=1, api_hash="x"))):
        assert 0xB25898DF208D2603 in {fingerprint % 2**64 for fingerprint in rsa._server_keys}


def test_the_sandbox_inside_the_program_must_be_started() -> None:
    with pytest.raises(SettingsError, match="none was started"):
        server_of(Settings(server="sandbox"))


def test_an_unknown_server_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'staging'.*Write production, test, sandbox or the path"):
        server_of(Settings(server="staging"))


async def test_a_ready_file_names_a_running_sandbox(tmp_path: Path) -> None:
    async with Sandbox(World()) as sandbox:
        write(tmp_path / "ready.json", describe(sandbox))
        server = server_of(Settings(server=str(tmp_path / "ready.json")))
        assert server == sandbox_server(describe(sandbox))
        assert (server.name, server.port) == ("sandbox", sandbox.dcs[2][1])
        assert server.fingerprint == sandbox.init_data_public_key[:16]


async def test_a_ready_file_of_another_machine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    async with Sandbox(World()) as sandbox:
        write(path, describe(sandbox))
    ready = json.loads(path.read_text())
    ready["dc"]["host"] = "192.0.2.1"
    path.write_text(json.dumps(ready))
    with pytest.raises(SettingsError, match="loopback") as caught:
        server_of(Settings(server=str(path)))
    one_line(caught.value)


def test_a_ready_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("{}")
    with pytest.raises(SettingsError, match="TELEGRAM_SERVER") as caught:
        server_of(Settings(server=str(path)))
    one_line(caught.value)


# Trust


async def test_a_key_is_trusted_only_while_it_is_needed() -> None:
    before = dict(rsa._server_keys)
    async with Sandbox(World()) as sandbox:
        server = sandbox_server(describe(sandbox))
        own = sandbox.rsa.fingerprint
        with trusted(server):
            pass
        assert own in rsa._server_keys, "the sandbox itself still needs it"
    assert rsa._server_keys == before
    for _ in range(2):
        with trusted(server):
            TelegramClient._config = object()
            with trusted(server):
                assert TelegramClient._config is None
                assert own in rsa._server_keys
            assert own in rsa._server_keys
        assert rsa._server_keys == before
        assert TelegramClient._config is None
