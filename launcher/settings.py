"""What the launcher is told from outside: environment variables and a `.env` file.

Every setting is a `TELEGRAM_…` variable; the environment wins over the file, an argument of `Settings(...)`
wins over both. Callers build the settings when they need them, importing this module reads nothing. Secrets
stay `SecretStr` until the moment they are used, and what is wrong with a setting is said in one line without
its value.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.errors import MiniAppError
from launcher.extras import install

__all__ = ["Proxy", "Settings", "SettingsError", "check_env_file"]

PREFIX = "TELEGRAM_"
KEYRING_SERVICE = "miniapp-launcher"
KEYRING_NAME = "session passphrase"


class SettingsError(MiniAppError):
    """A setting is missing or cannot be used; the message names the variable and what to write there."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy for the connection to Telegram.

    `password` is the proxy's password, for MTProxy its secret in hexadecimal digits.
    """

    kind: Literal["socks5", "http", "mtproxy"]
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Settings(BaseSettings):
    """The settings of one run.

    `server` is `production`, `test` (Telegram's own test data centres), `sandbox` (one inside this process)
    or the path of a running sandbox's ready file. `sessions` is the folder of the session files. With a
    `session_passphrase`, or with `session_keyring` and the passphrase in the system's keyring, session files
    are encrypted. `bot_token` checks the init data of one's own bot. `code` and `password` answer the
    questions of a sign-in without a person.

    Raises SettingsError in one line for a value that does not fit and for a `.env` file that cannot be read.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    api_id: int | None = None
    api_hash: SecretStr | None = None
    server: str = "production"
    sessions: Path = Path("sessions")
    proxy: SecretStr | None = None
    bot_token: SecretStr | None = None
    session_passphrase: SecretStr | None = None
    session_keyring: bool = False
    code: SecretStr | None = None
    password: SecretStr | None = None

    def __init__(self, **values: Any) -> None:
        check_env_file(values.get("_env_file", self.model_config.get("env_file")))
        problem = None
        try:
            super().__init__(**values)
        except ValidationError as error:
            problem = _explained(error)
        if problem:  # raised here and not above: pydantic's error holds the values in its attributes
            raise SettingsError(problem, "Correct it in the environment or in .env.")

    def api(self) -> tuple[int, SecretStr]:
        """The API id and hash. Raises SettingsError when one is missing."""
        missing = [name for name, value in self._api_values().items() if value is None]
        if missing or self.api_id is None or self.api_hash is None:
            raise SettingsError(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
                "Get both at https://my.telegram.org/apps and put them into the environment or .env; "
                "TELEGRAM_SERVER=sandbox needs neither.",
            )
        return self.api_id, self.api_hash

    def _api_values(self) -> dict[str, object]:
        return {f"{PREFIX}API_ID": self.api_id, f"{PREFIX}API_HASH": self.api_hash}

    def proxy_parts(self) -> Proxy | None:
        """The proxy, taken apart, or None. Raises SettingsError for one that cannot be used."""
        if self.proxy is None:
            return None
        proxy = _parse_proxy(self.proxy.get_secret_value())
        if proxy.kind != "mtproxy" and importlib.util.find_spec("python_socks") is None:
            raise SettingsError(f"{PREFIX}PROXY needs one more package.", install("proxy"))
        return proxy

    def passphrase(self) -> SecretStr | None:
        """The passphrase of the session files; None when they are kept plain.

        With `session_keyring` and nothing in the keyring yet a random one is made and put there. Raises
        SettingsError when there is no keyring to ask.
        """
        if self.session_passphrase is not None or not self.session_keyring:
            return self.session_passphrase
        return SecretStr(_keyring_passphrase())


def check_env_file(env_file: Any) -> None:
    """Raise SettingsError for a `.env` file that cannot be read, or has a line that is no setting."""
    files: Iterable[str | Path] = [env_file] if isinstance(env_file, str | Path) else env_file or []
    for path in map(Path, files):
        if path.exists():
            _check_lines(path)


def _check_lines(path: Path) -> None:
    """pydantic-settings skips a folder and python-dotenv a line it cannot read, both silently."""
    try:
        with path.open(encoding="utf-8") as stream:
            broken = next((line.original.line for line in parse_stream(stream) if line.error), None)
    except UnicodeDecodeError:
        problem, remedy = "is not UTF-8 text.", "Save it as UTF-8."
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror}).", "Make it a file you may read, or remove it."
    else:
        if broken is None:
            return
        problem, remedy = f"has a line that is no setting: line {broken}.", "Write NAME=value there."
    raise SettingsError(f"{path} {problem}", remedy)


_EXPECTED = {"int": "a whole number", "bool": "1 or 0", "path": "a path", "secret": "text"}


def _explained(error: ValidationError) -> str:
    parts = []
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        expected = _EXPECTED.get(problem["type"].split("_")[0], problem["msg"])
        parts.append(f"{PREFIX}{str(problem['loc'][0]).upper()} must be {expected}")
    return f"{'; '.join(parts)}."


def _parse_proxy(text: str) -> Proxy:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise _bad_proxy() from None
    if not url.hostname or not port:
        raise _bad_proxy()
    match url.scheme:
        case "socks5" | "http" as kind:
            username = unquote(url.username) if url.username else None
            password = unquote(url.password) if url.password else None
            return Proxy(kind, url.hostname, port, username, password)
        case "mtproxy":
            return Proxy("mtproxy", url.hostname, port, password=_mtproxy_secret(url))
    raise _bad_proxy()


def _bad_proxy() -> SettingsError:
    return SettingsError(
        f"{PREFIX}PROXY is not the URL of a proxy.",
        "Write socks5://user:password@host:port, http://user:password@host:port "
        "or mtproxy://host:port?secret=…",
    )


def _mtproxy_secret(url: SplitResult) -> str:
    """16 bytes in hexadecimal, perhaps after "dd" (padding). Telethon knows no fake-TLS secrets ("ee…")."""
    secret = parse_qs(url.query).get("secret", [""])[0].lower()
    digits = secret.removeprefix("dd") if len(secret) == 34 else secret
    if len(digits) != 32 or set(digits) - set("0123456789abcdef"):
        raise SettingsError(
            f"{PREFIX}PROXY has a secret that cannot be used.",
            "Give 32 hexadecimal digits, perhaps after dd.",
        )
    return digits


def _keyring_passphrase() -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise SettingsError(f"{PREFIX}SESSION_KEYRING needs one more package.", install("keyring")) from None
    import secrets

    try:
        known: str | None = keyring.get_password(KEYRING_SERVICE, KEYRING_NAME)
        if known is None:
            known = secrets.token_urlsafe(32)
            keyring.set_password(KEYRING_SERVICE, KEYRING_NAME, known)
    except KeyringError:
        raise SettingsError(
            "The system's keyring cannot be used.", f"Unlock it, or set {PREFIX}SESSION_PASSPHRASE instead."
        ) from None
    return known
