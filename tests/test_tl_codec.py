"""Telethon's TL codec, which the sandbox and the launcher share, against Kurigram's, which was made apart.

Every constructor that both know is built from the same random values by either library. Both have to write
the same bytes, and each has to write again what it read of the other's. What is known to differ stands in
`data/tl_differences.txt` and nowhere else, and has to differ still.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyrogram.raw.core import TLObject
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader

from tests.tl_values import Constructor, Node, Values, of_kurigram, of_telethon, shared

SEED = 20260229
PRESENT = (0, 0.2, 0.5, 0.8, 1)
"""Shares of the optional parameters that are there: every constructor is drawn once with each."""

LAST_VECTOR = "last vector"


@dataclass(frozen=True, slots=True)
class Difference:
    """A known one: where it lies, which values show it, a message that does, and why."""

    place: str
    values: str
    message: bytes
    reason: str


def differences() -> Iterator[Difference]:
    for line in (Path(__file__).parent / "data" / "tl_differences.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            place, values, message, reason = (part.strip() for part in line.split("|", 3))
            yield Difference(place, values, bytes.fromhex(message), reason)


KNOWN = {difference.place: difference for difference in differences()}
AVOID = {place: difference.values for place, difference in KNOWN.items() if place != LAST_VECTOR}


@cache
def compared() -> list[Constructor]:
    """Not read at import: every process that runs tests imports this file, and one looks at the schema."""
    return [constructor for constructor in shared() if constructor.name not in AVOID]


def again_by_telethon(message: bytes) -> bytes:
    """What Telethon writes of what it has read; the whole message has to be read."""
    reader = BinaryReader(message)
    read = reader.tgread_object()
    assert reader.tell_position() == len(message)
    return bytes(read)


def again_by_kurigram(message: bytes, behind: bytes = b"") -> bytes:
    """What Kurigram writes of what it has read; bytes may lie behind the message, which are left alone."""
    stream = BytesIO(message + behind)
    written: bytes = TLObject.read(stream).write()
    assert stream.read() == behind
    return written


def is_read_alike(message: bytes) -> bool:
    try:
        same = again_by_telethon(message) == message == again_by_kurigram(message)
        return same and _numbers_are_read_alike(message)
    except Exception:  # whatever a reader runs into where it expected something else
        return False


def _numbers_are_read_alike(message: bytes) -> bool:
    kurigram, telethon = TLObject.read(BytesIO(message)), BinaryReader(message).tgread_object()
    numbers = {name: number for name in kurigram.__slots__ if type(number := getattr(kurigram, name)) is int}
    own = {name: getattr(telethon, name) for name in numbers}
    return numbers == {name: int(n.timestamp()) if isinstance(n, datetime) else n for name, n in own.items()}


def disagreement(value: Node) -> str | None:
    """What the libraries do not agree on about this value, or None."""
    # Kurigram tells numbers from objects in a vector at the end of a message by what is left to read.
    behind = b"\0" if LAST_VECTOR in KNOWN else b""
    try:
        kurigram, telethon = of_kurigram(value).write(), bytes(of_telethon(value))
        if kurigram != telethon:
            return "they write different bytes"
        if again_by_telethon(kurigram) != kurigram:
            return "Telethon writes other bytes than it read of Kurigram"
        if again_by_kurigram(telethon, behind) != telethon:
            return "Kurigram writes other bytes than it read of Telethon"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def drawn(values: Values, constructor: Constructor) -> Iterator[Node]:
    return (values.node(constructor, present) for present in PRESENT)


def test_every_shared_constructor_is_written_and_read_alike() -> None:
    values = Values(SEED, AVOID)
    found = {
        constructor.name: what
        for constructor in compared()
        for value in drawn(values, constructor)
        if (what := disagreement(value))
    }
    assert found == {}
    assert len(compared()) > 2_500


def test_the_values_reach_every_part_of_the_schema() -> None:
    """Every field of every constructor is drawn, and every optional one is left out at times."""
    values = Values(SEED, AVOID)
    for constructor in compared():
        seen = [set(value.values) for value in drawn(values, constructor)]
        assert set.union(*seen) == {field.name for field in constructor.fields}
        assert set.intersection(*seen) == {field.name for field in constructor.fields if not field.flag}


@pytest.mark.parametrize("place", KNOWN)
def test_what_is_known_to_differ_still_does(place: str) -> None:
    assert KNOWN[place].reason
    assert not is_read_alike(KNOWN[place].message)


def test_what_is_known_to_differ_is_somewhere() -> None:
    fields = {f"{made.name}.{field.name}" for made in shared() for field in made.fields}
    assert set(AVOID) <= fields | {made.name for made in shared()}


@pytest.mark.parametrize("place", range(20))
def test_one_wrong_bit_is_seen(place: int) -> None:
    """The comparison can fail: of a message without flags and padding no bit can be turned unseen."""
    [constructor] = [one for one in compared() if one.name == "types.InputBotAppID"]
    value = Values(SEED, AVOID).node(constructor, 1)
    message = bytearray(of_kurigram(value).write())
    message[place] ^= 1
    for again in (again_by_telethon, again_by_kurigram):
        try:
            assert again(bytes(message)) != of_kurigram(value).write()
        except (KeyError, TypeNotFoundError):
            assert place < 4  # there is no such constructor


@pytest.mark.parametrize(
    ("name", "field", "other"),
    [("types.PeerUser", "user_id", 8), ("types.DataJSON", "data", "[]"), ("types.Folder", "title", "other")],
)
def test_a_library_that_writes_another_value_is_seen(
    name: str, field: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    [constructor] = [one for one in compared() if one.name == name]
    value = Values(SEED, AVOID).node(constructor, 0)
    write = constructor.kurigram.write

    def wrongly(self: Any) -> Any:
        setattr(self, field, other)
        return write(self)

    assert disagreement(value) is None
    monkeypatch.setattr(constructor.kurigram, "write", wrongly)
    assert disagreement(value) == "they write different bytes"
