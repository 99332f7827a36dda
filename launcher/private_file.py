"""Files that hold secrets because somebody asked for them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["for_owner_only"]


def for_owner_only(path: Path) -> None:
    """Let nobody but its owner read a file; it is made when it is not there. Raises OSError."""
    path.touch(mode=0o600)
    if path.is_file():  # and no device
        path.chmod(0o600)
