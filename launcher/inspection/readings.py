"""Whether clients read a link alike, in a sentence: how many readings there are, and which of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["agreement", "differing", "reader"]

_READERS = {
    "tdlib": "TDLib",
    "tdesktop": "Telegram Desktop",
    "old documentation": "the older documentation",
}


def reader(name: str) -> str:
    """Whose reading it is, as a person calls it."""
    return _READERS.get(name, name)


def differing(readings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The readers who do not read the link as the first one does, which is TDLib. Two that read no link in it
    read it alike, whatever their reasons."""
    if not readings:
        return []
    first, *_ = map(_meaning, readings.values())
    return [name for name, reading in readings.items() if _meaning(reading) != first]


def _meaning(reading: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return None if reading.get("kind") is None else reading


def agreement(readings: Mapping[str, Mapping[str, Any]]) -> str:
    """Of readings (JSON, by reader): that all agree, or which do not."""
    others = differing(readings)
    if not others:
        return f"All {len(readings)} readings agree: {_listed(readings)}."
    first = reader(next(iter(readings)))
    verb = "differs" if len(others) == 1 else "differ"
    return (
        f"Of {len(readings)} readings {_listed(others)} {verb} from {first}: "
        "what the link opens depends on where it is pressed."
    )


def _listed(readers: Mapping[str, Any] | list[str]) -> str:
    *names, last = map(reader, readers)
    return f"{', '.join(names)} and {last}" if names else last
