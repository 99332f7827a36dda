"""Who a client of the relay is: an Ed25519 key, named as a `did:key`, and the token that proves it.

The relay keeps the mail of a client by this name. The token is a JWT, signed with the key and shown on
every connection.
Documentation: specs.walletconnect.com/2.0/specs/clients/core/relay/relay-client-auth
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["client_id", "relay_token"]

_ED25519 = b"\xed\x01"
"""The multicodec prefix of an Ed25519 public key."""
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TOKEN_LIFETIME = 86_400
"""Seconds."""


def client_id(seed: bytes) -> str:
    """The `did:key` of the Ed25519 key made of 32 bytes."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return f"did:key:z{_base58(_ED25519 + public)}"


def relay_token(seed: bytes, relay_url: str, subject: str, issued: int) -> str:
    """The JWT for one connection to a relay; `subject` is a random text, `issued` the Unix time. A secret."""
    claims = {
        "iss": client_id(seed),
        "sub": subject,
        "aud": relay_url,
        "iat": issued,
        "exp": issued + TOKEN_LIFETIME,
    }
    signed = f"{_json({'alg': 'EdDSA', 'typ': 'JWT'})}.{_json(claims)}"
    return f"{signed}.{_base64(Ed25519PrivateKey.from_private_bytes(seed).sign(signed.encode()))}"


def _json(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _base58(raw: bytes) -> str:
    """The digits of a number that does not begin with a zero byte."""
    number, digits = int.from_bytes(raw), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return digits
