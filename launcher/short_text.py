"""Values in little room: a cell of a table, a line of an account, a summary."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["as_text", "counted", "shortened"]


def counted(number: int, thing: str) -> str:
    """`1 target`, `2 targets`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def as_text(value: Any) -> str:
    """A text as it is, any other JSON value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shortened(value: Any, longest: int, *, mark: str = "…") -> str:
    """The value as text, of at most `longest` characters: of a longer one its beginning with the mark."""
    text = as_text(value)
    return text if len(text) <= longest else text[: max(0, longest - len(mark))] + mark
