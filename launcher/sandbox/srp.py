"""The server's half of Telegram's two-step sign-in, where the password itself never crosses the wire.

The server keeps a verifier v = g^x, x being a slow hash of the password. For each attempt it draws a secret b
and publishes B = k·v + g^b. A client that knows the password answers with A = g^a and with M1, a hash over a
key which both sides can compute: the client from x and a, the server from v and b.
Documentation: core.telegram.org/api/srp.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from launcher.sandbox.exchange import DH_PRIME as PRIME
from launcher.sandbox.exchange import G as GENERATOR

__all__ = ["GENERATOR", "PRIME", "Challenge", "Verifier"]

SIZE = 256


def _bytes(number: int) -> bytes:
    return number.to_bytes(SIZE, "big")


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _number(*parts: bytes) -> int:
    return int.from_bytes(_hash(*parts), "big")


@dataclass(frozen=True, slots=True)
class Verifier:
    """What the server keeps of one password: two salts and v = g^x mod p."""

    salt1: bytes
    salt2: bytes
    v: int = field(repr=False)

    @classmethod
    def of(cls, password: str, salt1: bytes | None = None, salt2: bytes | None = None) -> "Verifier":
        """Salt and hash a password; takes some 100 ms, so keep the result."""
        salt1 = secrets.token_bytes(16) if salt1 is None else salt1
        salt2 = secrets.token_bytes(16) if salt2 is None else salt2
        quick = _hash(salt2, _hash(salt1, password.encode(), salt1), salt2)
        slow = hashlib.pbkdf2_hmac("sha512", quick, salt1, 100_000)
        return cls(salt1, salt2, pow(GENERATOR, _number(salt2, slow, salt2), PRIME))


@dataclass(frozen=True, slots=True)
class Challenge:
    """One attempt to prove a password: `srp_B` goes out, `proves` judges the answer."""

    verifier: Verifier
    b: int = field(default_factory=lambda: secrets.randbits(8 * SIZE), repr=False)

    @property
    def srp_B(self) -> bytes:  # noqa: N802 - the name on the wire
        k = _number(_bytes(PRIME), _bytes(GENERATOR))
        return _bytes((k * self.verifier.v + pow(GENERATOR, self.b, PRIME)) % PRIME)

    def proves(self, A: bytes, M1: bytes) -> bool:  # noqa: N803 - the names on the wire
        """Whether the client that sent A and M1 knows the password."""
        a = int.from_bytes(A, "big")
        if len(A) > SIZE or not 0 < a < PRIME:
            return False
        u = _number(_bytes(a), self.srp_B)
        shared = pow(a * pow(self.verifier.v, u, PRIME), self.b, PRIME)
        return hmac.compare_digest(self._proof(_bytes(a), _hash(_bytes(shared))), M1)

    def _proof(self, a: bytes, key: bytes) -> bytes:
        modulus, generator = _hash(_bytes(PRIME)), _hash(_bytes(GENERATOR))
        mixed = bytes(left ^ right for left, right in zip(modulus, generator, strict=True))
        salts = _hash(self.verifier.salt1) + _hash(self.verifier.salt2)
        return _hash(mixed, salts, a, self.srp_B, key)
