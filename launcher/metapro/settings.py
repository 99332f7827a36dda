"""Which Metapro, as whom, and how: METAPRO_… variables and a `.env` file.

Each service has an address of its own, preset for the environment where it is publicly known. What nobody
documents is a knob with the value that the public samples use.
"""

from __future__ import annotations

from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from launcher.metapro.errors import MetaproMisconfigured

__all__ = ["SERVICES", "MetaproSettings", "Service", "TelegramLogin"]

Service = Literal["users", "nft", "leaderboard", "teams", "referral"]
SERVICES: tuple[Service, ...] = get_args(Service)
_HOSTS = {"test": "https://test-api.metaproprotocol.com", "production": "https://api.metaproprotocol.com"}
_PATHS = {"nft": "/ms/nft", "leaderboard": "/ms/leaderboard", "teams": "/ms/teams"}
_USERS = {"test": "/ms/users-service", "production": "/users-service"}
_TESTING = ("test-", "uat-")


class TelegramLogin(BaseModel):
    """How the Telegram login is made: documented in words only, so each name is a knob."""

    model_config = ConfigDict(frozen=True)

    path: str = "/v2/auth/telegram/login/simple"
    string_field: str = "telegramSimpleString"
    user_field: str = "telegramSimpleData"
    send_user_object: bool = True
    extra_headers: dict[str, str] = {}
    extra_body: dict[str, Any] = {}
    token_path: str = "token.accessToken"
    user_id_path: str = "account.userId"


class MetaproSettings(BaseSettings):
    """The settings of one drive. Raises MetaproMisconfigured in one line for a value that does not fit."""

    model_config = SettingsConfigDict(
        env_prefix="METAPRO_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Literal["test", "production"] = "test"
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
    chain_ids: tuple[int, ...] = (56, 1, 137, 42161, 8453)
    rpc_url: SecretStr | None = None
    wallet_key: SecretStr | None = None
    bot_token: SecretStr | None = None
    allow_writes: bool = False
    keep_alive: float = Field(240.0, gt=0)
    max_auth_age: float = Field(86_400.0, gt=0)
    timeout: float = Field(15.0, gt=0)

    def __init__(self, **values: Any) -> None:
        problem = None
        try:
            super().__init__(**values)
        except ValidationError as error:
            problem = "; ".join(
                f"METAPRO_{'__'.join(map(str, one['loc'])).upper()}: {one['msg']}"
                for one in error.errors(include_input=False, include_context=False, include_url=False)
            )
        if problem:
            raise MetaproMisconfigured(f"{problem}.", "Correct it in the environment or in .env.")

    def url(self, service: str) -> str:
        """The base URL of a service. Raises MetaproMisconfigured when none is known."""
        own: str | None = getattr(self, f"{service}_url")
        if own:
            return own.rstrip("/")
        path = _USERS[self.environment] if service == "users" else _PATHS.get(service)
        if path is None:
            raise MetaproMisconfigured(
                f"The address of the {service} service is not public.",
                f"Set METAPRO_{service.upper()}_URL if the app uses it.",
            )
        return _HOSTS[self.environment] + path

    def check(self) -> list[str]:
        """What is missing or does not fit together, a sentence each; empty when all is well."""
        needed = ("project_id", "platform_id", "bot_name")
        missing = [f"METAPRO_{name.upper()} is not set." for name in needed if not getattr(self, name)]
        return [*missing, *self._mixed(), *self._malformed()]

    def _mixed(self) -> list[str]:
        found = []
        for service in SERVICES:
            host = urlsplit(getattr(self, f"{service}_url") or "").hostname or ""
            testing = host.startswith(_TESTING)
            live = host == "api.metaproprotocol.com"
            if (self.environment == "test" and live) or (self.environment == "production" and testing):
                found.append(f"METAPRO_{service.upper()}_URL is not of the {self.environment} environment.")
        return found

    def _malformed(self) -> list[str]:
        urls = {service: getattr(self, f"{service}_url") for service in SERVICES}
        bad = [name for name, url in urls.items() if url and urlsplit(url).scheme not in ("http", "https")]
        return [f"METAPRO_{name.upper()}_URL is no http:// or https:// address." for name in bad]
