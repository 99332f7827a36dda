"""What wallet and app say to one another, so that the relay cannot read it.

A message is sealed with ChaCha20-Poly1305 under the key of its topic; the topic is the SHA-256 of the key.
The pairing's key comes with the link. The session's key is agreed on by X25519, spread by HKDF-SHA256. An
envelope says by its first byte how to open it:

    type 0    0 | nonce (12) | sealed                       both sides have the key
    type 1    1 | public key (32) | nonce (12) | sealed     the reader derives the key first

Documentation: specs.walletconnect.com/2.0/specs/clients/core/crypto
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["NONCE", "Unreadable", "open_envelope", "public_key", "seal", "shared_key", "topic_of"]

NONCE = 12
_KEY = 32
_STARTS = {0: 1, 1: 1 + _KEY}
"""Where the nonce is, by the type."""


class Unreadable(ValueError):
    """An envelope is damaged, or sealed with another key."""


def topic_of(key: bytes) -> str:
    """The topic of a symmetric or public key, in hexadecimal."""
    return hashlib.sha256(key).hexdigest()


def public_key(private: bytes) -> bytes:
    """The X25519 public key of 32 private bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def shared_key(private: bytes, peer: bytes) -> bytes:
    """The symmetric key that two sides agree on, each with its private and the other's public key."""
    secret = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(peer))
    return HKDF(SHA256(), length=_KEY, salt=None, info=None).derive(secret)


def seal(key: bytes, text: str, nonce: bytes) -> str:
    """An envelope of type 0, in base64."""
    return b64encode(b"\0" + nonce + ChaCha20Poly1305(key).encrypt(nonce, text.encode(), None)).decode()


def open_envelope(key: bytes, envelope: str) -> str:
    """The text of an envelope of either type, of which the key is known. Raises Unreadable."""
    try:
        raw = b64decode(envelope, validate=True)
        start = _STARTS[raw[0]]
        nonce, sealed = raw[start : start + NONCE], raw[start + NONCE :]
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, None).decode()
    except (ValueError, LookupError, InvalidTag):
        raise Unreadable("The envelope cannot be opened.") from None
