"""Which Telegram is meant: production, Telegram's own test data centres, or a sandbox on the loopback.

Accounts, bots and session files belong to exactly one of them. A `Server` says where to connect first, which
RSA key proves that it is that server, and which Ed25519 key signs its init data. Telethon trusts production's
keys by itself; the key of another server is trusted only while `trusted(server)` holds, because Telethon's
table of keys is shared by the whole process and a sandbox's key must never stand beside Telegram's own.

Documentation: core.telegram.org/api/datacenter, core.telegram.org/mtproto/auth_key
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import SecretStr
from telethon import TelegramClient
from telethon.crypto import rsa

from flows.init_data import PRODUCTION_PUBLIC_KEY, TEST_PUBLIC_KEY
from launcher.settings import Settings, SettingsError

if TYPE_CHECKING:
    from launcher.sandbox import Sandbox
    from launcher.sandbox.ready_file import ReadyFile

__all__ = [
    "NoSuchServer",
    "SandboxGone",
    "Server",
    "ServerName",
    "sandbox_server",
    "server_at",
    "server_inside",
    "server_of",
    "trusted",
]

ServerName = Literal["production", "test", "sandbox"]

# Shown to every developer at my.telegram.org/apps under "Test configuration".
TEST_RSA_KEY = """-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAyMEdY1aR+sCR3ZSJrtztKTKqigvO/vBfqACJLZtS7QMgCGXJ6XIR
yy7mx66W0/sOFa7/1mAZtEoIokDP3ShoqF4fVNb6XeqgQfaUHd8wJpDWHcR2OFwv
plUUI1PLTktZ9uW2WE23b+ixNwJjJGwBDJPQEQFBE+vfmH0JP503wr5INS1poWg/
j25sIWeYPHYeOrFp/eXaqhISP6G+q2IeTaWTXpwZj4LzXq5YOpk4bYEQ6mvRq7D1
aHWfYmlEGepfaYR8Q0YqvvhYtMte3ITnuSJs171+GDqpdKcSwHnd6FudwGO4pcCO
j4WcDuXc2CTHgH8gFTNhp/Y8/SpDOhvn9QIDAQAB
-----END RSA PUBLIC KEY-----"""


class NoSuchServer(SettingsError):
    """What was named is neither a server nor the ready file of a sandbox."""


class SandboxGone(SettingsError):
    """There is no file where the ready file was: the sandbox has ended or was not started."""


@dataclass(frozen=True, slots=True)
class Server:
    """One Telegram.

    `dc`, `host` and `port` are where a new account knocks first. `public_key` is the server's RSA key (PKCS#1
    PEM), None for what Telethon trusts already: production, and a sandbox of this process.
    `init_data_public_key` is the Ed25519 key of its init data, in hexadecimal.
    """

    name: ServerName
    dc: int
    host: str
    port: int
    api_id: int
    api_hash: str = field(repr=False)
    init_data_public_key: str
    public_key: str | None = field(default=None, repr=False)

    @property
    def folder(self) -> str:
        """The name of the folder, inside the sessions folder, that holds this server's accounts. Each sandbox
        has its own, so that accounts of two with the same name do not meet."""
        return self.name if self.fingerprint is None else f"{self.name}-{self.fingerprint}"

    @property
    def fingerprint(self) -> str | None:
        """Tells one sandbox from another: 16 digits of its key for init data; None for Telegram's own."""
        return self.init_data_public_key[:16] if self.name == "sandbox" else None


def server_of(settings: Settings, *, connecting: bool = True) -> Server:
    """The server that TELEGRAM_SERVER names.

    Raises SettingsError for an unknown name or ready file, when the API id or hash is missing, and for
    `sandbox`: that one has to be started, by whoever reads the setting; see `sandbox_server`. Without
    `connecting`, only to look at files, neither id nor hash is needed.
    """
    match settings.server:
        case "production":
            return _telegram(
                settings, "production", "149.154.167.51", PRODUCTION_PUBLIC_KEY, None, connecting
            )
        case "test":
            return _telegram(settings, "test", "149.154.167.40", TEST_PUBLIC_KEY, TEST_RSA_KEY, connecting)
        case "sandbox":
            raise SettingsError(
                "TELEGRAM_SERVER=sandbox means a sandbox inside the running program, and none was started.",
                "Start one first, or give the path of a running sandbox's ready file.",
            )
        case path:
            return server_at(Path(path))


def sandbox_server(ready: ReadyFile) -> Server:
    """The server that a sandbox's ready file describes."""
    return Server(
        name="sandbox",
        dc=ready.dc.id,
        host=ready.dc.host,
        port=ready.dc.port,
        api_id=ready.api_id,
        api_hash=ready.api_hash,
        init_data_public_key=ready.init_data_public_key,
        public_key=ready.public_key,
    )


def server_inside(sandbox: Sandbox) -> Server:
    """The server that a sandbox of this process is."""
    host, port = sandbox.dcs[sandbox.main_dc]
    return Server(
        name="sandbox",
        dc=sandbox.main_dc,
        host=host,
        port=port,
        api_id=sandbox.api_id,
        api_hash=sandbox.api_hash,
        init_data_public_key=sandbox.init_data_public_key,
    )


def _telegram(
    settings: Settings, name: ServerName, host: str, init_key: str, key: str | None, connecting: bool
) -> Server:
    api_id, api_hash = settings.api() if connecting else (0, SecretStr(""))
    return Server(name, 2, host, 443, api_id, api_hash.get_secret_value(), init_key, key)


def server_at(path: Path, setting: str = "TELEGRAM_SERVER") -> Server:
    """The server that a ready file describes; `setting` is what errors say the path was given by.

    Raises SandboxGone when there is no such file, NoSuchServer when it is no ready file or the name of a
    server that there is not.
    """
    from launcher.sandbox import ready_file

    if not path.exists():
        raise _missing(path, setting)
    try:
        return sandbox_server(ready_file.read(path))
    except ready_file.BadReadyFile as error:
        problem = str(error)
    raise NoSuchServer(
        f"{setting}: {problem}.", "Name the file that `miniapp sandbox --ready-file FILE` has written."
    )


def _missing(path: Path, setting: str) -> SettingsError:
    """What looks like a path is one: a ready file goes with its sandbox."""
    if path.suffix or path.name != str(path):
        return SandboxGone(
            f"{setting} is {str(path)!r}, and there is no such file: its sandbox has ended or never ran.",
            f"Start it with `miniapp sandbox --ready-file {path}`.",
        )
    return NoSuchServer(
        f"{setting} is {str(path)!r}, which is neither a server nor the ready file of a sandbox.",
        "Write production, test, sandbox or the path that `miniapp sandbox --ready-file` was given.",
    )


_holders: Counter[int] = Counter()
_added: set[int] = set()
_lock = threading.Lock()


@contextmanager
def trusted(server: Server) -> Iterator[None]:
    """Let Telethon trust this server's RSA key for a while. May be nested: the last to leave removes it.

    Telethon's cached `help.getConfig` is an attribute of its class: it is forgotten at both ends, lest one
    server's addresses be used for another.
    """
    if server.public_key is None:
        yield
        return
    fingerprint = _fingerprint(server.public_key)
    with _lock:
        if fingerprint not in rsa._server_keys:  # else a sandbox of this process trusts itself: leave it
            rsa.add_key(server.public_key, old=False)
            _added.add(fingerprint)
        _holders[fingerprint] += 1
        TelegramClient._config = None
    try:
        yield
    finally:
        with _lock:
            _holders[fingerprint] -= 1
            if not _holders[fingerprint] and fingerprint in _added:
                _added.remove(fingerprint)
                rsa._server_keys.pop(fingerprint, None)  # Telethon can add a key, but not remove one
            TelegramClient._config = None


def _fingerprint(pem: str) -> int:
    from launcher.sandbox.exchange import fingerprint  # who uses Telegram alone needs no sandbox

    key = load_pem_public_key(pem.encode())
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    return fingerprint(numbers.n, numbers.e)
