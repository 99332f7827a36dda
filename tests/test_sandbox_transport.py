"""Every framing, in whole and in pieces, and whatever else may come over a socket."""

import hashlib
import struct
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.network.connection.tcpabridged import AbridgedPacketCodec
from telethon.network.connection.tcpfull import FullPacketCodec
from telethon.network.connection.tcpintermediate import (
    IntermediatePacketCodec,
    RandomizedIntermediatePacketCodec,
)
from telethon.network.connection.tcpobfuscated import ObfuscatedIO

from launcher.sandbox.transport import (
    AUTH_KEY_NOT_FOUND,
    MAX_PACKET,
    Abridged,
    BadFrame,
    Full,
    Intermediate,
    PaddedIntermediate,
    Transport,
)

FRAMINGS = {
    "full": (FullPacketCodec, b"", Full),
    "abridged": (AbridgedPacketCodec, b"\xef", Abridged),
    "intermediate": (IntermediatePacketCodec, b"\xee" * 4, Intermediate),
    "padded intermediate": (RandomizedIntermediatePacketCodec, b"\xdd" * 4, PaddedIntermediate),
}
OBFUSCATED = [name for name in FRAMINGS if name != "full"]
PACKETS = [b"\x01" * 24, b"\x02" * 508, b"\x03" * 512, b"\x04" * 100_000, AUTH_KEY_NOT_FOUND]


class Bytes:
    """What Telethon's codecs read from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def readexactly(self, size: int) -> bytes:
        part, self.data = self.data[:size], self.data[size:]
        assert len(part) == size
        return part


def in_pieces(transport: Transport, stream: bytes, size: int) -> list[bytes]:
    pieces = (stream[start : start + size] for start in range(0, len(stream), size))
    return [packet for piece in pieces for packet in transport.feed(piece)]


def without_padding(name: str, packets: list[bytes]) -> list[bytes]:
    return [packet[: len(packet) & ~3] if "padded" in name else packet for packet in packets]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", FRAMINGS)
async def test_telethon_framings_round_trip(name: str, size: int) -> None:
    """What Telethon frames is understood, in pieces of any size, and the other way round."""
    codec, tag, framing = FRAMINGS[name]
    theirs, ours = codec(None), Transport()
    stream = tag + b"".join(theirs.encode_packet(packet) for packet in PACKETS)
    assert without_padding(name, in_pieces(ours, stream, size)) == PACKETS
    assert type(ours.framing) is framing
    reader = Bytes(b"".join(ours.pack(packet) for packet in PACKETS))
    assert [await codec(None).read_packet(reader) for _ in PACKETS] == PACKETS
    assert reader.data == b""


@pytest.mark.parametrize("name", OBFUSCATED)
async def test_obfuscated_framings_round_trip(name: str) -> None:
    codec, _, framing = FRAMINGS[name]
    header, encrypt, decrypt = ObfuscatedIO.init_header(codec)
    packets = PACKETS[:3]
    stream = bytes(header) + encrypt.encrypt(b"".join(codec(None).encode_packet(p) for p in packets))
    ours = Transport()
    assert without_padding(name, in_pieces(ours, stream, 61)) == packets
    assert type(ours.framing) is framing
    reader = Bytes(decrypt.encrypt(b"".join(ours.pack(packet) for packet in packets)))
    assert [await codec(None).read_packet(reader) for _ in packets] == packets


def test_a_request_for_a_quick_acknowledgement_is_not_a_length() -> None:
    abridged, intermediate = Transport(), Transport()
    assert abridged.feed(b"\xef\x81abcd") == [b"abcd"]
    assert intermediate.feed(b"\xee" * 4 + struct.pack("<I", 0x80000004) + b"abcd") == [b"abcd"]


def full(length: int, number: int, body: bytes = b"abcd") -> bytes:
    head = struct.pack("<iI", length, number) + body
    return head + struct.pack("<I", crc32(head))


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /api HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        full(16, 0) + full(16, 2),
        full(16, 0)[:-1] + b"\0",
        full(8, 0),
        full(-1, 0),
        full(MAX_PACKET + 4, 0),
        b"\xef\x7f\xff\xff\xff",
        b"\xef\x00",
        b"\xee" * 4 + struct.pack("<I", MAX_PACKET + 1),
        b"\xee" * 4 + bytes(4),
        hashlib.sha512(b"an obfuscated header of no known framing").digest(),
    ],
)
def test_broken_streams_are_refused(stream: bytes) -> None:
    with pytest.raises(BadFrame):
        in_pieces(Transport(), stream, 1)


def test_nothing_goes_out_before_the_framing_is_known() -> None:
    with pytest.raises(BadFrame):
        Transport().pack(b"abcd")


@given(st.lists(st.binary(max_size=200)), st.sampled_from([b"", *(row[1] for row in FRAMINGS.values())]))
def test_any_bytes_are_packets_or_refused(pieces: list[bytes], tag: bytes) -> None:
    transport = Transport()
    taken: list[Any] = []
    try:
        for piece in (tag, *pieces):
            taken += transport.feed(piece)
    except BadFrame:
        return
    assert all(4 <= len(packet) <= MAX_PACKET for packet in taken)
    assert sum(map(len, taken)) <= sum(map(len, pieces))
