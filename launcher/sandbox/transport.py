"""From a TCP stream to MTProto packets and back, without doing any input or output.

A client says in its first bytes how it frames packets: abridged, intermediate, padded intermediate or (by
saying nothing, packet number 0) full. Any of the first three may be wrapped in "obfuscated2", an AES-CTR
stream whose keys are in the first 64 bytes. A `Transport` recognises all of that by itself: feed it what
the socket gave, get whole packets.

Documentation: core.telegram.org/mtproto/mtproto-transports.
"""

from __future__ import annotations

import random
import struct
from typing import Protocol
from zlib import crc32

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

__all__ = [
    "AUTH_KEY_NOT_FOUND",
    "MAX_PACKET",
    "Abridged",
    "BadFrame",
    "Framing",
    "Full",
    "Intermediate",
    "PaddedIntermediate",
    "Transport",
]

MAX_PACKET = 1 << 21
"""The largest packet taken, in bytes. Clients stay below 1 MiB, the limit of a container."""

AUTH_KEY_NOT_FOUND = (-404).to_bytes(4, "little", signed=True)
"""The transport error for an auth key the server does not know; it is a packet by itself."""

_QUICK_ACK = 0x80
_FOREIGN = (b"GET ", b"POST", b"HEAD", b"OPTI", b"\x16\x03\x01\x02")


class BadFrame(ValueError):
    """The stream is not MTProto, or a packet is broken or too long: the connection has to be closed."""


class Framing(Protocol):
    """One way to mark where a packet ends."""

    def take(self, buffer: bytearray) -> bytes | None:
        """Cut the first whole packet off the buffer; None when there is none yet. Raises `BadFrame`."""

    def pack(self, packet: bytes) -> bytes: ...


class Full:
    """Length, packet number and CRC-32 around every packet."""

    def __init__(self) -> None:
        self._received = 0
        self._sent = 0

    def take(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < 8:
            return None
        length, number = struct.unpack_from("<iI", buffer)
        _check(length, at_least=12)
        if number != self._received:
            raise BadFrame(f"packet number {number}, expected {self._received}")
        if len(buffer) < length:
            return None
        frame = bytes(buffer[:length])
        if crc32(frame[:-4]) != int.from_bytes(frame[-4:], "little"):
            raise BadFrame("wrong CRC-32")
        self._received += 1
        del buffer[:length]
        return frame[8:-4]

    def pack(self, packet: bytes) -> bytes:
        frame = struct.pack("<II", len(packet) + 12, self._sent) + packet
        self._sent += 1
        return frame + crc32(frame).to_bytes(4, "little")


class Abridged:
    """One byte of length in words of four bytes, or 0x7f and three bytes of it."""

    def take(self, buffer: bytearray) -> bytes | None:
        if not buffer:
            return None
        words, header = buffer[0] & ~_QUICK_ACK, 1
        if words == 0x7F:
            if len(buffer) < 4:
                return None
            words, header = int.from_bytes(buffer[1:4], "little"), 4
        return _cut(buffer, header, words * 4)

    def pack(self, packet: bytes) -> bytes:
        words = len(packet) // 4
        if words < 0x7F:
            return bytes((words,)) + packet
        return b"\x7f" + words.to_bytes(3, "little") + packet


class Intermediate:
    """Four bytes of length; the top bit asks for a quick acknowledgement, which is never given."""

    def take(self, buffer: bytearray) -> bytes | None:
        if len(buffer) < 4:
            return None
        return _cut(buffer, 4, int.from_bytes(buffer[:4], "little") & 0x7FFFFFFF)

    def pack(self, packet: bytes) -> bytes:
        return len(packet).to_bytes(4, "little") + packet


class PaddedIntermediate(Intermediate):
    """The same with stray bytes at the end: up to 15 from a client, up to 3 to it, all that Telethon strips.

    A packet is handed on with its stray bytes: only what is inside tells how long it really is.
    """

    def pack(self, packet: bytes) -> bytes:
        return super().pack(packet + random.randbytes(random.randrange(4)))


_TAGS: dict[bytes, type[Framing]] = {
    b"\xef" * 4: Abridged,
    b"\xee" * 4: Intermediate,
    b"\xdd" * 4: PaddedIntermediate,
}


class Transport:
    """One connection's framing, recognised from its first bytes."""

    __slots__ = ("_buffer", "_decrypt", "_encrypt", "_framing")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._framing: Framing | None = None
        self._decrypt: _Stream | None = None
        self._encrypt: _Stream | None = None

    @property
    def framing(self) -> Framing | None:
        """How this client frames its packets; None until that is known."""
        return self._framing

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came from the socket, return the packets it completes. Raises `BadFrame`."""
        self._buffer += self._decrypt.update(data) if self._decrypt else data
        framing = self._framing or self._recognise()
        packets: list[bytes] = []
        while framing and (packet := framing.take(self._buffer)) is not None:
            packets.append(packet)
        return packets

    def pack(self, packet: bytes) -> bytes:
        """The bytes that carry a packet to the client."""
        if self._framing is None:
            raise BadFrame("nothing can be sent before the client has said how it frames packets")
        frame = self._framing.pack(packet)
        return self._encrypt.update(frame) if self._encrypt else frame

    def _recognise(self) -> Framing | None:
        start = bytes(self._buffer[:8])
        if start[:1] == b"\xef":
            return self._settle(Abridged(), 1)
        if len(start) < 4:
            return None
        if start[:4] in _TAGS:
            return self._settle(_TAGS[start[:4]](), 4)
        if start[:4] in _FOREIGN:
            raise BadFrame("this is HTTP or TLS, not MTProto")
        if len(start) == 8 and start[4:] == b"\0\0\0\0":
            return self._settle(Full(), 0)
        return self._deobfuscate() if len(self._buffer) >= 64 else None

    def _settle(self, framing: Framing, used: int) -> Framing:
        del self._buffer[:used]
        self._framing = framing
        return framing

    def _deobfuscate(self) -> Framing:
        secret = bytes(self._buffer[8:56])
        self._decrypt, self._encrypt = _Stream(secret), _Stream(secret[::-1])
        self._buffer = bytearray(self._decrypt.update(bytes(self._buffer)))
        framing = _TAGS.get(bytes(self._buffer[56:60]))
        if framing is None:
            raise BadFrame("the obfuscated header names no known framing")
        return self._settle(framing(), 64)


class _Stream:
    """AES-256-CTR; 32 bytes of key, 16 of counter."""

    __slots__ = ("update",)

    def __init__(self, secret: bytes) -> None:
        self.update = Cipher(AES(secret[:32]), CTR(secret[32:])).encryptor().update


def _cut(buffer: bytearray, header: int, length: int) -> bytes | None:
    _check(length, at_least=4)
    end = header + length
    if len(buffer) < end:
        return None
    packet = bytes(buffer[header:end])
    del buffer[:end]
    return packet


def _check(length: int, at_least: int) -> None:
    if not at_least <= length <= MAX_PACKET:
        raise BadFrame(f"a packet of {length} bytes is out of bounds")
