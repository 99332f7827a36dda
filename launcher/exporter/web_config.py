"""Who may look, and under which certificate: a file in the form that Prometheus's own exporters read.

    tls_server_config:
      cert_file: exporter.crt         # paths are relative to this file
      key_file: exporter.key
    basic_auth_users:
      prometheus: $2y$10$...          # a bcrypt hash: htpasswd -nBC 10 prometheus
      grafana: env:GRAFANA_PASSWORD   # or the password itself, from the environment

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import bcrypt
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from flows import BadInput
from launcher.probe.lines import Document, read_yaml

__all__ = ["BasicAuth", "Tls", "WebConfig", "read_web_config"]

_ROUNDS = 10
_ENVIRONMENT = "env:"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Tls(_Strict):
    """PEM files; the certificate's may hold a chain."""

    cert_file: Path
    key_file: Path


class WebConfig(_Strict):
    """`basic_auth_users`: bcrypt hashes by user name; when there are none everybody may look."""

    tls_server_config: Tls | None = None
    basic_auth_users: Mapping[str, SecretStr] = {}

    @field_validator("basic_auth_users", mode="after")
    @classmethod
    def _hashed(cls, users: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        return {name: SecretStr(_hash(name, said.get_secret_value())) for name, said in users.items()}


def _hash(name: str, said: str) -> str:
    if not said.startswith(_ENVIRONMENT):
        try:
            bcrypt.checkpw(b"", said.encode())
        except ValueError:
            raise ValueError(f"what is said of {name} is neither a bcrypt hash nor env:NAME") from None
        return said
    variable = said.removeprefix(_ENVIRONMENT)
    password = os.environ.get(variable, "").encode()
    if not 0 < len(password) <= 72:
        raise ValueError(f"the environment has no {variable} of 1 to 72 bytes")
    return bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode()


def read_web_config(path: Path) -> WebConfig:
    """Read and check a web configuration file. Raises BadInput; its text begins with "file:line:"."""
    try:
        document = read_yaml(path.read_text("utf-8"), str(path))
    except UnicodeDecodeError:
        raise BadInput(f"{path}:1: not UTF-8.", "Save it as UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}.", "Name a file that can be read.") from None
    try:
        config = WebConfig.model_validate(document.value or {})
    except ValidationError as error:
        raise _wrong(document, error) from None
    if config.tls_server_config is None:
        return config
    tls = Tls(
        cert_file=path.parent / config.tls_server_config.cert_file,
        key_file=path.parent / config.tls_server_config.key_file,
    )
    return config.model_copy(update={"tls_server_config": tls})


def _wrong(document: Document, error: ValidationError) -> BadInput:
    problem = error.errors(include_input=False, include_context=False)[0]
    key = ".".join(str(step) for step in problem["loc"]) or "the file"
    said = problem["msg"].removeprefix("Value error, ")
    return document.wrong(problem["loc"], f"{key}: {said}.", "Its form is that of Prometheus's exporters.")


class BasicAuth:
    """Lets in who has one of the passwords. bcrypt is slow by design, so who came in once is recognised by a
    keyed digest; a name that is not known takes as long as a wrong password."""

    def __init__(self, app: ASGIApp, users: Mapping[str, SecretStr]) -> None:
        self._app = app
        self._users = {name: hashed.get_secret_value().encode() for name, hashed in users.items()}
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16).hex().encode(), bcrypt.gensalt(_ROUNDS))
        self._key = secrets.token_bytes(32)
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or await self._may(Headers(scope=scope).get("authorization", "")):
            return await self._app(scope, receive, send)
        answer = PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="miniapp"'})
        return await answer(scope, receive, send)

    async def _may(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            credentials = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        digest = hmac.digest(self._key, credentials, hashlib.sha256)
        if digest in self._known:
            return True
        name, _, password = credentials.partition(b":")
        if not await asyncio.to_thread(self._right, name.decode("utf-8", "replace"), password):
            return False
        self._known.add(digest)
        return True

    def _right(self, name: str, password: bytes) -> bool:
        try:
            right = bcrypt.checkpw(password, self._users.get(name, self._nobody))
        except ValueError:  # longer than bcrypt takes
            return False
        return right and name in self._users
