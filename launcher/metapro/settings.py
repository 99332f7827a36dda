"""Which Metapro, as whom, and how: METAPRO_… variables and a `.env` file.

Each service has an address of its own, preset where it is publicly known:

| service | test (test-api.…) | production (api.…) | how sure |
| --- | --- | --- | --- |
| users | /ms/users-service | /users-service | in docs and samples |
| nft | /ms/nft | /ms/nft | in docs and samples |
| leaderboard | /ms/leaderboard | /ms/leaderboard | test in docs and samples, production concluded |
| teams | /ms/teams | /ms/teams | in docs and samples |
| referral | not public | not public | only that there is one |

What nobody documents is a knob with the value that the public samples use. Environments are never mixed:
`check` says what does not fit, and the client sends nothing before it does.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as Undecodable

from launcher.metapro.errors import MetaproMisconfigured
from launcher.settings import SettingsError, check_env_file

__all__ = ["MAIN_NETWORKS", "SERVICES", "MetaproSettings", "Service", "TelegramLogin"]

PREFIX = "METAPRO_"
Environment = Literal["test", "production"]
Service = Literal["users", "nft", "leaderboard", "teams", "referral"]
SERVICES: tuple[Service, ...] = get_args(Service)
MAIN_NETWORKS = (56, 1, 137, 42161, 8453)
"""BNB (documented), Ethereum, Polygon, Arbitrum, Base (named in samples; the numbers are the networks')."""
TEST_NETWORKS = (97, 11155111, 80002)
"""BNB testnet (from a sample), Sepolia and Amoy (documented for one service). Those for Arbitrum and Base are
not public."""
_HOSTS = {"test": "https://test-api.metaproprotocol.com", "production": "https://api.metaproprotocol.com"}
_PATHS = {"nft": "/ms/nft", "leaderboard": "/ms/leaderboard", "teams": "/ms/teams"}
_USERS = {"test": "/ms/users-service", "production": "/users-service"}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class TelegramLogin(BaseModel):
    """How the Telegram login is made: described in words only, so each name is a knob.

    `…_field` are the names in the body; an empty one leaves its field out. `token_path` and `user_id_path`
    say where the answer holds token and Metapro ID. What is sent beside (`extra_…`) may hold a key: it is not
    shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = "/v2/auth/telegram/login/simple"
    string_field: str = "telegramSimpleString"
    user_field: str = "telegramSimpleData"
    project_field: str = "projectId"
    platform_field: str = "platformId"
    bot_field: str = "telegramBotName"
    referral_field: str = "referralCode"
    send_user_object: bool = True
    extra_headers: dict[str, str] = Field(default={}, repr=False)
    extra_body: dict[str, Any] = Field(default={}, repr=False)
    token_path: str = "token.accessToken"
    user_id_path: str = "account.userId"


def _numbers(value: Any) -> Any:
    """`56,97` as it is written in an environment variable."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.strip("[]() ").split(",") if part.strip())


def _networks(values: dict[str, Any]) -> tuple[int, ...]:
    return MAIN_NETWORKS if values.get("environment") == "production" else TEST_NETWORKS


class MetaproSettings(BaseSettings):
    """The settings of one drive. Raises MetaproMisconfigured in one line for a value that does not fit.

    `api_key` is sent where `api_key_place` says (`header` or `body`, under `api_key_name`): no page says
    where it belongs, and the samples send none. `auth_scheme`: the token as it is, or after "Bearer ".
    `allow_writes` lets production be written to, and the driver attach wallets. `keep_alive`: seconds between
    the calls that extend a token. `max_auth_age`: seconds after which init data are too old for a login.
    `timeout`: seconds for one request. `relay_url` and `relay_project` are WalletConnect's.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Environment = "test"
    users_url: str | None = None
    nft_url: str | None = None
    leaderboard_url: str | None = None
    teams_url: str | None = None
    referral_url: str | None = None
    project_id: str | None = None
    platform_id: str | None = None
    app_id: str | None = None
    leaderboard_id: str | None = None
    referral_settings_id: str | None = None
    bot_name: str | None = None
    api_key: SecretStr | None = None
    api_key_place: Literal["none", "header", "body"] = "none"
    api_key_name: str = "x-api-key"
    leaderboard_key: SecretStr | None = None
    auth_scheme: Literal["raw", "bearer"] = "raw"
    telegram_login: TelegramLogin = TelegramLogin()
    chain_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_numbers)] = Field(
        default_factory=_networks, min_length=1
    )
    rpc_url: SecretStr | None = None
    wallet_key: SecretStr | None = None
    relay_url: str = "wss://relay.walletconnect.org"
    relay_project: SecretStr | None = None
    bot_token: SecretStr | None = None
    allow_writes: bool = False
    keep_alive: float = Field(240.0, gt=0)
    max_auth_age: float = Field(86_400.0, gt=0)
    timeout: float = Field(15.0, gt=0)

    def __init__(self, **values: Any) -> None:
        problem = None
        try:
            check_env_file(values.get("_env_file", self.model_config.get("env_file")))
            super().__init__(**values)
        except ValidationError as error:
            problem = "; ".join(
                f"{PREFIX}{'__'.join(map(str, one['loc'])).upper()}: {one['msg']}"
                for one in error.errors(include_input=False, include_context=False, include_url=False)
                if one["type"] != "default_factory_not_called"  # it follows from another one
            )
        except Undecodable as error:  # a value that should be JSON; the message names the field only
            field = re.search(r'field "(\w+)"', str(error))
            problem = f"{PREFIX}{field[1].upper() if field else ''} is no JSON"
        except SettingsError as error:
            raise MetaproMisconfigured(error.meaning, error.remedy) from None
        if problem:  # raised here and not above: pydantic's error holds the values in its attributes
            raise MetaproMisconfigured(f"{problem}.", "Correct it in the environment or in .env.")

    @property
    def secrets(self) -> list[str]:
        """Every secret in here, for striking them out of what is shown."""
        values = (getattr(self, name) for name in type(self).model_fields)
        told = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        beside = (*self.telegram_login.extra_headers.values(), *self.telegram_login.extra_body.values())
        return [*told, *(value for value in beside if isinstance(value, str))]

    def url(self, service: str) -> str:
        """The base URL of a service, without a slash at its end. Raises MetaproMisconfigured when none is
        known."""
        own: str | None = getattr(self, f"{service}_url")
        if own:
            return own.rstrip("/")
        path = _USERS[self.environment] if service == "users" else _PATHS.get(service)
        if path is None:
            raise MetaproMisconfigured(
                f"The address of the {service} service is not public.",
                f"Set {PREFIX}{service.upper()}_URL if the app uses it.",
            )
        return _HOSTS[self.environment] + path

    def check(self) -> list[str]:
        """What is missing or does not fit together, a sentence each with the variable to set; empty when all
        is well."""
        needed = ("project_id", "platform_id", "bot_name")
        missing = [f"{PREFIX}{name.upper()} is not set." for name in needed if not getattr(self, name)]
        return [*missing, *self.misfits(), *self._malformed()]

    def misfits(self) -> list[str]:
        """Why nothing may be sent: services of different environments, passwords that logs would tell."""
        hosts = {service: _host(getattr(self, f"{service}_url")) for service in SERVICES}
        kinds = {service: _environment_of(host) for service, host in hosts.items() if host}
        wrong = [
            f"{PREFIX}{service.upper()}_URL is of the {kind} environment, {PREFIX}ENVIRONMENT is "
            f"{self.environment}."
            for service, kind in kinds.items()
            if kind in ("test", "production") and kind != self.environment
        ]
        wrong += [
            f"{PREFIX}{service.upper()}_URL holds a name or a password, which logs would tell: leave it out."
            for service in SERVICES
            if _has_password(getattr(self, f"{service}_url"))
        ]
        local = {service for service, kind in kinds.items() if kind == "loopback"}
        public = [service for service in SERVICES if service not in local and self._is_known(service)]
        if local and public:
            wrong.append(
                f"{_variables(sorted(local))} is on this machine, {_variables(public)} is not: "
                "set all addresses, or none."
            )
        return wrong

    def _is_known(self, service: str) -> bool:
        return bool(getattr(self, f"{service}_url")) or service != "referral"

    def _malformed(self) -> list[str]:
        urls = {service: getattr(self, f"{service}_url") for service in SERVICES}
        bad = [name for name, url in urls.items() if url and not _is_address(url)]
        wrong = [f"{PREFIX}{name.upper()}_URL is no http:// or https:// address." for name in bad]
        if not self.relay_url.startswith(("ws://", "wss://")):
            wrong.append(f"{PREFIX}RELAY_URL is no ws:// or wss:// address.")
        if self.api_key is not None and self.api_key_place == "none":
            wrong.append(f"{PREFIX}API_KEY is not sent: set {PREFIX}API_KEY_PLACE to header or body.")
        if self.api_key is None and self.api_key_place != "none":
            wrong.append(f"{PREFIX}API_KEY is not set, and {PREFIX}API_KEY_PLACE says where to send it.")
        forms = (("wallet_key", r"(0x)?[0-9a-fA-F]{64}", "64 hexadecimal digits"),
                 ("bot_token", r"\d+:[\w-]+", "a token of BotFather's, digits:letters"))  # fmt: skip
        for name, form, words in forms:
            value: SecretStr | None = getattr(self, name)
            if value is not None and not re.fullmatch(form, value.get_secret_value()):
                wrong.append(f"{PREFIX}{name.upper()} is not {words}.")
        return wrong


def _variables(services: list[Any]) -> str:
    return ", ".join(f"{PREFIX}{service.upper()}_URL" for service in services)


def _is_address(url: str) -> bool:
    return _host(url) is not None and urlsplit(url).scheme in ("http", "https")


def _host(url: str | None) -> str | None:
    """The host of an address, as DNS compares it."""
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.rstrip(".") if host else None


def _has_password(url: str | None) -> bool:
    return "@" in (url or "").partition("://")[2].partition("/")[0]


def _environment_of(host: str) -> str:
    """Which environment a host is known to be of; any other is of the one that is set."""
    if host in _LOOPBACK:
        return "loopback"
    if host == "api.metaproprotocol.com":
        return "production"
    if host in ("test-api.metaproprotocol.com", "uat-api.metaproprotocol.com", "test-api.coinswap.space"):
        return "test"
    return "own"
