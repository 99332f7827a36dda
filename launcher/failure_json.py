"""An error as JSON, in one shape for every command and report."""

from __future__ import annotations

from typing import Any

from flows import MiniAppError

__all__ = ["failure_json"]

_KNOWN = ("method", "code", "name", "source", "question")


def failure_json(failure: MiniAppError) -> dict[str, Any]:
    """`type`, `message`, `meaning` and `remedy`; of what Telegram refused also `method`, `code`, `name` and
    `source` (the page that documents it), of a declined question `question`. Absent is what is not known."""
    known = {name: getattr(failure, name, None) for name in _KNOWN}
    return {
        "type": type(failure).__name__,
        "message": str(failure),
        "meaning": failure.meaning,
        "remedy": failure.remedy,
        **{
            name: value if isinstance(value, int) else str(value)
            for name, value in known.items()
            if value is not None
        },
    }
