"""Random values of every TL constructor that both Telethon and Kurigram know, to be built by either.

The schema is read from Kurigram's generated classes: their fields carry the TL type in a comment. A value is
a tree of plain numbers, texts and `Node`s that belongs to neither library; `of_kurigram` and `of_telethon`
make of it what each of them would be given by its user.
"""

from __future__ import annotations

import inspect
import random
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pyrogram.raw.all import objects
from telethon.tl.alltlobjects import tlobjects

__all__ = ["Constructor", "Field", "Node", "Values", "of_kurigram", "of_telethon", "shared"]

_FIELD = re.compile(r"^ {8}self\.(\w+) = \w+  # (?:(flags\d?\.\d+)\?)?(.+)$", re.MULTILINE)
_BASE = re.compile(r"Constructor of :obj:`~pyrogram\.raw\.base\.([\w.]+)`")
_VECTOR = re.compile(r"[Vv]ector<(.+)>")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter; `flag` is the bit that says it is there ("flags.3"), or None when it always is."""

    name: str
    type: str
    flag: str | None

    @property
    def element(self) -> str | None:
        """The type of what the vector holds, or None for no vector."""
        found = _VECTOR.fullmatch(self.type)
        return found[1] if found else None


@dataclass(frozen=True, slots=True, eq=False)
class Constructor:
    """A constructor or function; `base` is the type it makes, "!X" for functions."""

    name: str
    base: str
    fields: tuple[Field, ...]
    kurigram: Any
    telethon: Any


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a constructor; parameters that are absent are not in `values`."""

    constructor: Constructor
    values: dict[str, Any]


@cache
def shared() -> tuple[Constructor, ...]:
    """All that both libraries know by the same number, whose fields Kurigram tells."""
    both = ((kurigram, tlobjects[number]) for number, kurigram in objects.items() if number in tlobjects)
    return tuple(
        _constructor(*pair)
        for pair in both
        if pair[0].__module__.startswith("pyrogram.raw.") and ".core." not in pair[0].__module__
    )


def _constructor(kurigram: Any, telethon: Any) -> Constructor:
    source = Path(sys.modules[kurigram.__module__].__file__ or "").read_text(encoding="utf-8")
    fields = tuple(Field(name, kind, flag or None) for name, flag, kind in _FIELD.findall(source))
    assert [field.name for field in fields] == kurigram.__slots__, kurigram
    base = _BASE.search(source)
    return Constructor(kurigram.QUALNAME, base[1] if base else "!X", fields, kurigram, telethon)


class Values:
    """Draws values; the same seed draws the same ones.

    `avoid` says what not to draw, by "constructor.field": "outside 1..9" for a number, or the name of a
    constructor; and by "constructor" alone: "any".
    """

    depth = 3
    """So many levels hold anything; below, the plainest constructor of each type stands."""

    def __init__(self, seed: int, avoid: Mapping[str, str]) -> None:
        self._random = random.Random(seed)
        self._avoid = avoid
        self._makers: dict[str, list[Constructor]] = defaultdict(list)
        for constructor in shared():
            if constructor.name not in avoid:
                self._makers[constructor.base].append(constructor)
        self._plainest = {
            base: min(makers, key=_ranks().__getitem__) for base, makers in self._makers.items()
        }

    def node(self, constructor: Constructor, present: float, depth: int = depth) -> Node:
        """A value of this constructor, with the share `present` of its optional parameters."""
        flags = {field.flag for field in constructor.fields if field.flag}
        chosen = {flag for flag in sorted(flags) if depth and self._random.random() < present}
        values = {
            field.name: self._field(constructor, field, depth)
            for field in constructor.fields
            if field.flag is None or field.flag in chosen
        }
        return Node(constructor, values)

    def _field(self, constructor: Constructor, field: Field, depth: int) -> Any:
        rule = self._avoid.get(f"{constructor.name}.{field.name}", "")
        while True:
            value = self._vector(field, depth) if field.element else self._one(field.type, depth)
            if not _avoided(value, rule):
                return value
            depth = max(depth, 2)  # the plainest value, of which there is but one, may be the one to avoid

    def _vector(self, field: Field, depth: int) -> list[Any]:
        """An optional vector is never empty: both libraries take an empty one for an absent one."""
        least = 0 if field.flag is None else 1
        many = self._random.randint(least, 3) if depth else least
        return [self._one(field.element or "", depth) for _ in range(many)]

    def _one(self, kind: str, depth: int) -> Any:
        if kind in _BITS:
            return self._number(_BITS[kind])
        if kind in ("string", "bytes"):
            return self._text() if kind == "string" else self._random.randbytes(self._length())
        if kind in ("Bool", "true"):
            return kind == "true" or self._random.random() < 0.5
        if kind == "double":
            return self._random.choice((0.0, -1.5, 1e300, self._random.uniform(-1e6, 1e6)))
        return self._node_of(kind, depth)

    def _node_of(self, base: str, depth: int) -> Node:
        maker = self._random.choice(self._makers[base]) if depth > 1 else self._plainest[base]
        return self.node(maker, 0.3, max(depth - 1, 0))

    def _number(self, bits: int) -> int:
        most = 2 ** (bits - 1) - 1
        return self._random.choice((0, 1, -1, most, -most - 1, self._random.randint(-most - 1, most)))

    def _length(self) -> int:
        """Lengths around 254, where the form of the length changes, are drawn often."""
        return self._random.choice((0, 1, 2, 3, 4, 9, self._random.randint(250, 258)))

    def _text(self) -> str:
        return "".join(self._random.choices('a \0é漢😀\u202e"\\', k=self._length()))


def _avoided(value: Any, rule: str) -> bool:
    if rule.startswith("outside "):
        least, most = map(int, rule.removeprefix("outside ").split(".."))
        return not least <= value <= most
    return isinstance(value, Node) and value.constructor.name == rule


_BITS = {"int": 32, "long": 64, "int128": 128, "int256": 256}


@cache
def _ranks() -> dict[Constructor, int]:
    """How many levels the plainest value of each constructor has."""
    ranks: dict[Constructor, int] = {}
    level, open_ = 0, list(shared())
    while open_:
        known = {constructor.base for constructor in ranks}
        ready = [constructor for constructor in open_ if _needs(constructor) <= known]
        assert ready, f"no finite value of {open_}"
        ranks |= dict.fromkeys(ready, level)
        open_ = [constructor for constructor in open_ if constructor not in ranks]
        level += 1
    return ranks


def _needs(constructor: Constructor) -> set[str]:
    plain = {*_BITS, "string", "bytes", "Bool", "true", "double"}
    return {field.type for field in constructor.fields if not field.flag and not field.element} - plain


# What each library is given


def of_kurigram(value: Any) -> Any:
    """The value as Kurigram's user would build it."""
    if isinstance(value, list):
        return [of_kurigram(one) for one in value]
    if not isinstance(value, Node):
        return value
    return value.constructor.kurigram(**{name: of_kurigram(inner) for name, inner in _spelt_out(value)})


def _spelt_out(node: Node) -> list[tuple[str, Any]]:
    return [(field.name, node.values.get(field.name)) for field in node.constructor.fields]


def of_telethon(value: Any) -> Any:
    """The value as Telethon's user would build it: with dates where Telethon has them."""
    if isinstance(value, list):
        return [of_telethon(one) for one in value]
    if not isinstance(value, Node):
        return value
    annotations = _annotations(value.constructor.telethon)
    given = {}
    for name, inner in _spelt_out(value):
        own = "from_" if name == "from_peer" and "from_" in annotations else name
        given[own] = _date(inner) if "datetime" in annotations[own] else of_telethon(inner)
    return value.constructor.telethon(**given)


@cache
def _annotations(telethon: Any) -> dict[str, str]:
    parameters = inspect.signature(telethon.__init__).parameters.values()
    return {one.name: str(one.annotation) for one in parameters}


def _date(seconds: int | None) -> datetime | None:
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)
