"""What goes sealed through the database: launch URLs, because whoever holds one is the user, and pictures of
pages, because they show what the user sees.

A letter asks another worker to show a page. It travels as the argument of a job, encrypted and authenticated
with a key that all workers have and the database has not. It opens for ten minutes; its job is deleted when
the page has been shown.

Documentation: cryptography.io (Fernet)
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from flows import BadInput
from launcher.probe.targets import Target

__all__ = ["Letter", "Seal"]

_SHORTEST = 16
_OPENS_FOR = 600
_PICTURE = 2 * 2**20
"""Bytes of the largest picture that is kept."""


class Letter(BaseModel):
    """A launched app whose page is to be shown: `url` is its launch URL, `elapsed` the seconds since its
    check began; the rest is what a client knows of it beside its target."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str = Field(repr=False)
    target: Target
    bot: int
    username: str
    inline: bool
    fullsize: bool
    fullscreen: bool
    same_origin: bool
    elapsed: float


class Seal:
    """Seals and opens letters with a key made of `secret`: at least 16 characters, best random ones. `clock`
    gives seconds since the epoch."""

    def __init__(self, secret: SecretStr, clock: Callable[[], float] = time.time) -> None:
        text = secret.get_secret_value()
        if len(text) < _SHORTEST:
            raise BadInput(
                "MINIAPP_LAUNCH_KEY is too short to keep launch URLs secret.",
                "Give all workers the same random one: openssl rand -base64 32",
            )
        key = hashlib.sha256(f"miniapp launch key {text}".encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._clock = clock

    def seal(self, letter: Letter) -> str:
        return self._fernet.encrypt_at_time(letter.model_dump_json().encode(), int(self._clock())).decode()

    def open(self, sealed: str) -> Letter | None:
        """The letter; None for one that is too old, or was sealed with another key."""
        try:
            now = int(self._clock())
            return Letter.model_validate_json(self._fernet.decrypt_at_time(sealed, _OPENS_FOR, now))
        except InvalidToken:
            return None

    def seal_picture(self, picture: bytes | None) -> bytes | None:
        """The picture sealed; None for one that is too large to be kept."""
        return self._fernet.encrypt(picture) if picture and len(picture) <= _PICTURE else None

    def open_picture(self, sealed: bytes | str | None) -> bytes | None:
        """The picture, however old; None for one that was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed) if sealed else None
        except InvalidToken:
            return None
