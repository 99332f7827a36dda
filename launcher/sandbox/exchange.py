"""How a client and this server agree on an auth key, as plain steps without input, output or chance.

Three requests, three answers; what the server has to remember in between is the second half of each result.
Everything random is an argument, so that a recorded exchange can be replayed.

    req_pq_multi(nonce)                      -> resPQ(pq, fingerprint)
    req_DH_params(RSA(p_q_inner_data))       -> server_DH_params_ok(AES(g, dh_prime, g_a))
    set_client_DH_params(AES(g_b))           -> dh_gen_ok; both sides hold g^(ab)

Documentation: core.telegram.org/mtproto/auth_key, core.telegram.org/mtproto/samples-auth_key.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, types

__all__ = [
    "DH_PRIME",
    "PQ",
    "DhSent",
    "NewKey",
    "PqSent",
    "RsaKey",
    "Slip",
    "answer_client_dh",
    "answer_dh_params",
    "answer_pq",
    "fingerprint",
    "seal",
    "temporary_aes",
]

PQ = 0x17ED48941A08F981
"""The product every client has to factor. It is the one of the published sample: factored at once, both
factors exactly four bytes."""

DH_PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4dbfa336f6e"
    "0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f642477fe96bb2a941d"
    "5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0e"
    "f1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70"
    "050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
"""Telegram's own prime: clients know it and refuse others or test them for long."""

G = 3
_MARGIN = 1 << (2048 - 64)
_INNER = (types.PQInnerData, types.PQInnerDataDc, types.PQInnerDataTemp, types.PQInnerDataTempDc)


class Slip(ValueError):
    """A request of the exchange is wrong. The connection is closed without a word: an answer of -404 would
    make real clients start over for ever."""


class RsaKey:
    """The server's RSA key: what clients encrypt their first secret with."""

    def __init__(self, key: rsa.RSAPrivateKey | None = None) -> None:
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._private = self._key.private_numbers()
        public = self._private.public_numbers
        self.n, self.e = public.n, public.e
        self.fingerprint = fingerprint(self.n, self.e)

    @property
    def public_pem(self) -> str:
        """The public half as PKCS#1 PEM, the form Telethon's `add_key` takes."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()

    def decrypt(self, block: bytes) -> bytes:
        """The bare RSA operation on 256 bytes, by the Chinese remainder theorem."""
        cipher, key = int.from_bytes(block, "big"), self._private
        if len(block) != 256 or cipher >= self.n:
            raise Slip("encrypted_data is not a number below the modulus")
        at_p, at_q = pow(cipher, key.dmp1, key.p), pow(cipher, key.dmq1, key.q)
        return (at_q + (at_p - at_q) * key.iqmp % key.p * key.q).to_bytes(256, "big")

    def __repr__(self) -> str:
        return f"<RsaKey {self.fingerprint:x}>"


def fingerprint(n: int, e: int) -> int:
    """What clients know a public key by: the low 64 bits of its SHA-1, as a signed number."""
    serialized = b"".join(TLObject.serialize_bytes(_big_endian(number)) for number in (n, e))
    return int.from_bytes(sha1(serialized).digest()[-8:], "little", signed=True)


@dataclass(frozen=True, slots=True)
class PqSent:
    """After resPQ."""

    nonce: int
    server_nonce: int


@dataclass(frozen=True, slots=True)
class DhSent:
    """After server_DH_params_ok."""

    nonce: int
    server_nonce: int
    new_nonce: int = field(repr=False)
    a: int = field(repr=False)
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """What both sides have agreed on; `expires_in` seconds for a temporary key."""

    key: bytes = field(repr=False)
    salt: int = field(repr=False)
    expires_in: int | None = None


def answer_pq(request: Any, fingerprint: int, server_nonce: int) -> tuple[Any, PqSent]:
    """Step one: req_pq_multi, or the older req_pq."""
    answer = types.ResPQ(request.nonce, server_nonce, _big_endian(PQ), [fingerprint])
    return answer, PqSent(request.nonce, server_nonce)


def answer_dh_params(
    state: PqSent, request: Any, key: RsaKey, *, a: int, server_time: int, padding: bytes = b""
) -> tuple[Any, DhSent]:
    """Step two: find the client's secret, send g^a. `padding` is up to 15 bytes of chance; short ones are
    filled up. Raises `Slip`."""
    _same_nonces(state, request)
    if request.public_key_fingerprint != key.fingerprint:
        raise Slip("unknown RSA key")
    inner = open_inner_data(key.decrypt(request.encrypted_data))
    _same_nonces(state, inner)
    if int.from_bytes(inner.p, "big") * int.from_bytes(inner.q, "big") != PQ or inner.pq != _big_endian(PQ):
        raise Slip("p and q are not the factors of pq")
    sent = DhSent(state.nonce, state.server_nonce, inner.new_nonce, a, getattr(inner, "expires_in", None))
    g_a = _big_endian(pow(G, a, DH_PRIME))
    answer = types.ServerDHInnerData(
        state.nonce, state.server_nonce, G, _big_endian(DH_PRIME), g_a, server_time
    )
    encrypted = seal(bytes(answer), *temporary_aes(sent.new_nonce, sent.server_nonce), padding)
    return types.ServerDHParamsOk(state.nonce, state.server_nonce, encrypted), sent


def answer_client_dh(state: DhSent, request: Any) -> tuple[Any, NewKey]:
    """Step three: take g^b, and both sides have the key. Raises `Slip`."""
    _same_nonces(state, request)
    encrypted = _whole_blocks(request.encrypted_data)
    plain = AES.decrypt_ige(encrypted, *temporary_aes(state.new_nonce, state.server_nonce))
    inner = _read_hashed(plain, (types.ClientDHInnerData,))
    _same_nonces(state, inner)
    g_b = int.from_bytes(inner.g_b, "big")
    if not _MARGIN <= g_b <= DH_PRIME - _MARGIN:
        raise Slip("g_b is out of bounds")
    key = pow(g_b, state.a, DH_PRIME).to_bytes(256, "big")
    new_nonce = _nonce(state.new_nonce, 32)
    nonce_hash = sha1(new_nonce + b"\x01" + sha1(key).digest()[:8]).digest()[4:]
    answer = types.DhGenOk(state.nonce, state.server_nonce, int.from_bytes(nonce_hash, "little", signed=True))
    return answer, NewKey(key, first_salt(new_nonce, _nonce(state.server_nonce, 16)), state.expires_in)


def first_salt(new_nonce: bytes, server_nonce: bytes) -> int:
    """The salt a fresh key starts with."""
    mixed = bytes(x ^ y for x, y in zip(new_nonce[:8], server_nonce[:8], strict=True))
    return int.from_bytes(mixed, "little", signed=True)


def temporary_aes(new_nonce: int, server_nonce: int) -> tuple[bytes, bytes]:
    """Key and IV under which the two Diffie-Hellman halves travel."""
    new, server = _nonce(new_nonce, 32), _nonce(server_nonce, 16)
    one, two, three = sha1(new + server).digest(), sha1(server + new).digest(), sha1(new + new).digest()
    return one + two[:12], two[12:] + three + new[:4]


def seal(data: bytes, key: bytes, iv: bytes, padding: bytes = b"") -> bytes:
    """SHA-1, data and padding to whole blocks, encrypted."""
    plain = sha1(data).digest() + data
    missing = -len(plain) % 16
    return bytes(AES.encrypt_ige(plain + (padding + os.urandom(missing))[:missing], key, iv))


def open_inner_data(block: bytes) -> Any:
    """The p_q_inner_data in a decrypted RSA block, whichever of the two paddings it has. Raises `Slip`.

    TDLib and mtcute use RSA_PAD, Telethon and Kurigram the older SHA-1 padding. RSA_PAD is tried first:
    its SHA-256 cannot fit by chance.
    """
    padded = _strip_rsa_pad(block)
    if padded is not None:
        return _read(padded, _INNER)[0]
    if block[0] != 0:
        raise Slip("encrypted_data has neither of the two paddings")
    return _read_hashed(block[1:], _INNER)


def _strip_rsa_pad(block: bytes) -> bytes | None:
    mixed_key, encrypted = block[:32], block[32:]
    key = bytes(x ^ y for x, y in zip(mixed_key, sha256(encrypted).digest(), strict=True))
    plain = AES.decrypt_ige(encrypted, key, bytes(32))
    data = bytes(plain[:192][::-1])
    return data if hmac.compare_digest(sha256(key + data).digest(), plain[192:]) else None


def _read_hashed(plain: bytes, expected: tuple[type, ...]) -> Any:
    inner, length = _read(plain[20:], expected)
    if not hmac.compare_digest(sha1(plain[20 : 20 + length]).digest(), plain[:20]):
        raise Slip("the SHA-1 inside does not fit")
    return inner


def _read(data: bytes, expected: tuple[type, ...]) -> tuple[Any, int]:
    reader = BinaryReader(data)
    try:
        inner = reader.tgread_object()
    except Exception as error:  # Telethon's reader raises whatever the bytes lead it to
        raise Slip("what is inside cannot be read") from error
    if not isinstance(inner, expected):
        raise Slip("what is inside is something else")
    return inner, reader.tell_position()


def _same_nonces(state: PqSent | DhSent, named: Any) -> None:
    if (named.nonce, named.server_nonce) != (state.nonce, state.server_nonce):
        raise Slip("the nonces are not those of this exchange")


def _whole_blocks(data: bytes) -> bytes:
    if not data or len(data) % 16:
        raise Slip("encrypted_data is not whole blocks")
    return data


def _nonce(number: int, size: int) -> bytes:
    return number.to_bytes(size, "little", signed=True)


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
