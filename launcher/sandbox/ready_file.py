"""The ready file: how a program learns where a sandbox listens and what it may use there.

`miniapp sandbox --ready-file FILE` writes it once it listens: one JSON object, readable by its owner only,
because the RSA key in it is one that clients are asked to trust. Reading it refuses any host but loopback.
"""

from __future__ import annotations

import ipaddress
import json
import os
import tempfile
from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from telethon.tl.alltlobjects import LAYER

if TYPE_CHECKING:
    from launcher.sandbox.metapro import MetaproStandIn
    from launcher.sandbox.relay import Relay
    from launcher.sandbox.server import Sandbox
    from launcher.sandbox.site import Site

__all__ = [
    "BadReadyFile",
    "ReadyAccount",
    "ReadyBot",
    "ReadyDc",
    "ReadyFile",
    "ReadyMetapro",
    "accounts",
    "describe",
    "read",
    "write",
]


class BadReadyFile(ValueError):
    """The file is missing, malformed, or names another host than the loopback; the message says which."""


def _loopback(host: str) -> str:
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError("only an address of the loopback (127.0.0.1) is trusted")
    return host


def _loopback_url(url: str) -> str:
    _loopback(urlsplit(url).hostname or "")
    return url


LoopbackUrl = Annotated[str, AfterValidator(_loopback_url)]


def _pem(key: str) -> str:
    if not key.startswith("-----BEGIN RSA PUBLIC KEY-----"):
        raise ValueError("a PKCS#1 PEM public key is needed")
    return key


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class ReadyDc(_Record):
    """Where one data centre listens."""

    id: int
    host: Annotated[str, AfterValidator(_loopback)]
    port: int = Field(gt=0, lt=65536)


class ReadyAccount(_Record):
    """A user one can sign in as; `password` is None without two-step verification."""

    name: str
    user_id: int
    phone: str
    code: str = Field(repr=False)
    password: str | None = Field(repr=False)


class ReadyBot(_Record):
    """A bot; `apps` are the short names of its active direct-link apps."""

    username: str
    id: int
    token: str = Field(repr=False)
    apps: list[str]


class ReadyMetapro(_Record):
    """The stand-in of Metapro: base URLs by service, and what an app or a driver is configured with.

    `assumption_model` says what it is. `services` has users, nft, leaderboard, teams, apps and referral;
    `ids` project_id, platform_id, app_id, leaderboard_id, referral_settings_id and bot_name; `keys` the
    secrets leaderboard_key, api_key and app_key. `relay` is a WalletConnect relay, which takes any project
    id; None where there is none.
    """

    assumption_model: str
    url: LoopbackUrl
    services: dict[str, LoopbackUrl]
    ids: dict[str, str]
    keys: dict[str, str] = Field(repr=False)
    relay: LoopbackUrl | None = None


class ReadyFile(_Record):
    """All a client needs. `dc` is the main data centre, `init_data_public_key` Ed25519 in hex.

    `site` is where the sample Mini Apps are, `metapro` the stand-in they speak to; None where they are not
    served.
    """

    dc: ReadyDc
    dcs: list[ReadyDc]
    public_key: Annotated[str, AfterValidator(_pem)]
    api_id: int
    api_hash: str = Field(repr=False)
    layer: int
    accounts: list[ReadyAccount]
    bots: list[ReadyBot]
    init_data_public_key: str = Field(pattern="^[0-9a-f]{64}$")
    site: LoopbackUrl | None = None
    metapro: ReadyMetapro | None = None


def accounts(sandbox: Sandbox) -> list[ReadyAccount]:
    """Whom one can sign in as; those without a password come first."""
    return [
        ReadyAccount(
            name=user.first_name, user_id=user.id, phone=user.phone, code=user.code, password=user.password
        )
        for user in sorted(sandbox.world.users(), key=lambda user: user.password is not None)
    ]


def describe(sandbox: Sandbox, site: Site | None = None, relay: Relay | None = None) -> ReadyFile:
    """What the ready file of a listening sandbox, of its site, and of the relay beside its stand-in, says."""
    dcs = {dc: ReadyDc(id=dc, host=host, port=port) for dc, (host, port) in sandbox.dcs.items()}
    bots = [
        ReadyBot(
            username=bot.username,
            id=bot.id,
            token=bot.token,
            apps=[app.short_name for app in bot.apps.values() if app.active],
        )
        for bot in sandbox.world.bots()
    ]
    return ReadyFile(
        dc=dcs[sandbox.main_dc],
        dcs=list(dcs.values()),
        public_key=sandbox.public_key,
        api_id=sandbox.api_id,
        api_hash=sandbox.api_hash,
        layer=LAYER,
        accounts=accounts(sandbox),
        bots=bots,
        init_data_public_key=sandbox.init_data_public_key,
        site=None if site is None else site.origin,
        metapro=None if site is None or site.metapro is None else _metapro(site.metapro, relay),
    )


def _metapro(metapro: MetaproStandIn, relay: Relay | None) -> ReadyMetapro:
    keys = {name for name in metapro.ids if name.endswith("_key")}
    return ReadyMetapro(
        assumption_model=metapro.label,
        url=metapro.url,
        services=metapro.services,
        ids=_part(metapro.ids, metapro.ids.keys() - keys),
        keys=_part(metapro.ids, keys),
        relay=None if relay is None else relay.url,
    )


def _part(whole: Mapping[str, str], names: Set[str]) -> dict[str, str]:
    return {name: value for name, value in whole.items() if name in names}


def write(path: Path, ready: ReadyFile) -> None:
    """Write the file at once and whole, with mode 0600. Raises OSError, of this path."""
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except FileNotFoundError as error:
        raise OSError(error.errno, f"there is no folder {path.parent}: make it first", str(path)) from None
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(ready.model_dump_json(indent=2) + "\n")
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def read(path: Path) -> ReadyFile:
    """Read and check a ready file. Raises `BadReadyFile` with one line that says what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadReadyFile(f"cannot read the ready file {path} ({reason}): is the sandbox running?") from None
    try:
        return ReadyFile.model_validate(_json(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        message = f"{path} is not a ready file: {where}: {first['msg']}"
        raise BadReadyFile(message) from None
    except ValueError:
        raise BadReadyFile(f"{path} is not a ready file: it is not JSON") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
