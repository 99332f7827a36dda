"""The file in which an account rests between two runs: its form, its encryption, its way to the disk.

A file is one line that says what it is, then the content as JSON, plain or encrypted:

    miniapp-session 1 plain <SHA-256 of the rest, hexadecimal>\\n <JSON>
    miniapp-session 1 encrypted\\n <salt, 16 bytes> <nonce, 12 bytes> <ChaCha20-Poly1305 of the JSON>

The key of the second form is scrypt(passphrase, salt, N=2^15, r=8, p=1), some 80 ms of work, done once
for each file that is opened; the first line is authenticated with the content. So every change to a file
of either form is noticed.

Whoever reads a plain file is that account. Files are made 0600 in folders of 0700, whatever the umask; a file
found with wider rights is narrowed before it is read. A write goes to a new file beside the old one, which it
then replaces in one step: after a crash the old content is there, or the new one, never half of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from flows.errors import MiniAppError
from launcher.servers import ServerName

__all__ = ["Content", "SessionFile", "SessionFileError", "private_folder", "unusable"]

_KIND = b"miniapp-session "
_PLAIN = _KIND + b"1 plain "
_ENCRYPTED = _KIND + b"1 encrypted\n"
_SALT = 16
_NONCE = 12
_LARGEST = 1 << 26  # bytes; a session of 100,000 known peers has a tenth of that


class SessionFileError(MiniAppError):
    """A session file, or the folder it lies in, cannot be used."""


Entity = tuple[int, int, str | None, str | None, str | None]
"""Marked id, access hash, user name, phone number, display name; the row of Telethon's sessions."""

State = tuple[int, int, int, int]
"""pts, qts, date (Unix seconds), seq."""


class Content(BaseModel):
    """What a session file holds.

    `fingerprint` tells which sandbox the account lives on (see `Server.fingerprint`). `auth_key` is 256
    bytes in hexadecimal. `usernames` leads to the ids of `entities`. `updates` has the state of the account
    under 0 and the pts of channels under their ids. `caches` belongs to whoever names an entry in it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    server: ServerName
    fingerprint: str | None
    dc: int
    host: str
    port: int
    auth_key: str = Field(repr=False, pattern="^[0-9a-f]{512}$")
    entities: list[Entity] = Field(repr=False)
    usernames: dict[str, int] = Field(repr=False)
    updates: dict[int, State]
    caches: dict[str, Any] = Field(repr=False)


class _Seal:
    """A passphrase stretched with one salt; opens and closes what is encrypted with it."""

    def __init__(self, passphrase: SecretStr, salt: bytes) -> None:
        self.salt = salt
        stretched = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1)
        self._cipher = ChaCha20Poly1305(stretched.derive(passphrase.get_secret_value().encode()))

    def close(self, payload: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return _ENCRYPTED + self.salt + nonce + self._cipher.encrypt(nonce, payload, _ENCRYPTED)

    def open(self, blob: bytes) -> bytes:
        """Raises InvalidTag for a wrong passphrase or a changed file."""
        body = blob[len(_ENCRYPTED) + _SALT :]
        return self._cipher.decrypt(body[:_NONCE], body[_NONCE:], _ENCRYPTED)


class SessionFile:
    """One session file. With a passphrase it is written encrypted, without one plain; both forms are read.

    Every method raises SessionFileError, in one line and without anything of the content.
    """

    def __init__(self, path: Path, passphrase: SecretStr | None = None) -> None:
        self.path = path
        self._passphrase = passphrase
        self._seal: _Seal | None = None

    def __repr__(self) -> str:
        return f"SessionFile({str(self.path)!r})"

    @property
    def encrypted(self) -> bool:
        """Whether the file on the disk is encrypted."""
        return is_encrypted(self.read_bytes())

    def read(self) -> Content:
        """The content of the file."""
        return self.parse(self.read_bytes())

    def parse(self, blob: bytes) -> Content:
        """The content of these bytes, as if they were the file's."""
        payload = self._decrypted(blob) if is_encrypted(blob) else self._plain(blob)
        try:
            return Content.model_validate_json(payload)
        except ValidationError:
            pass  # the error holds the content, it must not be the context of the next one
        raise self._broken("holds something else than a session")

    def write(self, content: Content) -> None:
        """Replace the file in one step; its folder is made when it is not there."""
        private_folder(self.path.parent)
        try:
            _replace(self.path, self.sealed(content))
        except OSError as error:
            raise unusable(self.path, "written", error) from None

    def sealed(self, content: Content) -> bytes:
        """The bytes `write` writes."""
        payload = content.model_dump_json().encode()
        if self._passphrase is None:
            return _PLAIN + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload
        if self._seal is None:
            self._seal = _Seal(self._passphrase, os.urandom(_SALT))
        return self._seal.close(payload)

    def remove(self) -> None:
        """Delete the file; one that is not there is fine."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise unusable(self.path, "removed", error) from None

    def read_bytes(self) -> bytes:
        """The file as it is, its rights narrowed to 0600 first."""
        try:
            with self.path.open("rb") as stream:
                if os.name == "posix" and os.fstat(stream.fileno()).st_mode & 0o077:
                    os.fchmod(stream.fileno(), 0o600)
                return stream.read(_LARGEST)
        except OSError as error:
            raise unusable(self.path, "read", error) from None

    def _plain(self, blob: bytes) -> bytes:
        line, _, payload = blob.partition(b"\n")
        if not re.fullmatch(re.escape(_PLAIN) + b"[0-9a-f]{64}", line):
            raise self._broken(
                "is of a newer version" if _of_another_version(line) else "is not a session file"
            )
        if hashlib.sha256(payload).hexdigest().encode() != line[len(_PLAIN) :]:
            raise self._broken("was damaged or cut off")
        return payload

    def _decrypted(self, blob: bytes) -> bytes:
        if self._passphrase is None:
            raise SessionFileError(
                f"The session file {self.path} is encrypted.",
                "Set TELEGRAM_SESSION_PASSPHRASE, or TELEGRAM_SESSION_KEYRING=1 if it is in the keyring.",
            )
        salt = blob[len(_ENCRYPTED) :][:_SALT]
        if len(blob) < len(_ENCRYPTED) + _SALT + _NONCE + 16:
            raise self._broken("was damaged or cut off")
        if self._seal is None or self._seal.salt != salt:
            self._seal = _Seal(self._passphrase, salt)
        try:
            return self._seal.open(blob)
        except InvalidTag:
            raise SessionFileError(
                f"The session file {self.path} does not open with this passphrase, or it was damaged.",
                "Check TELEGRAM_SESSION_PASSPHRASE; if it is right, remove the file and run `miniapp login`.",
            ) from None

    def _broken(self, how: str) -> SessionFileError:
        return SessionFileError(
            f"The session file {self.path} {how}.", "Remove it and run `miniapp login`, or import it again."
        )


def is_encrypted(blob: bytes) -> bool:
    """Whether these are the bytes of an encrypted session file."""
    return blob.startswith(_ENCRYPTED)


def _of_another_version(line: bytes) -> bool:
    version = re.match(re.escape(_KIND) + rb"(\d{1,9}) ", line)
    return version is not None and int(version[1]) > 1


def private_folder(path: Path) -> None:
    """Make the folder, with its parents, for its owner alone; narrow one that is open to others.

    Raises SessionFileError when that is not possible.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)  # the umask may have taken the owner's own rights
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise unusable(path, "made a folder for you alone", error) from None


def _replace(path: Path, blob: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            if os.name == "posix":
                os.fchmod(descriptor, 0o600)  # as above
            stream.write(blob)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def unusable(path: Path, verb: str, error: OSError) -> SessionFileError:
    """Says in one line why `path` cannot be read, written, locked…"""
    match error:
        case FileNotFoundError():
            why = "it is not there"
        case IsADirectoryError():
            why = "it is a folder"
        case _:
            why = error.strerror or type(error).__name__
    return SessionFileError(
        f"{path} cannot be {verb}: {why}.", "Check the path and its rights, or set TELEGRAM_SESSIONS."
    )
