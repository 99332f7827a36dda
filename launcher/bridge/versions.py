"""Versions of the Mini Apps platform, as in `tgWebAppVersion`: `6.10` is newer than `6.9`."""

from __future__ import annotations

import re

__all__ = ["at_least", "number"]


def number(version: str) -> tuple[int, ...]:
    """The components as integers. Raises `ValueError` for anything but numbers with dots between."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
        raise ValueError(f"{version!r} is no Mini Apps version; write it like 8.0")
    return tuple(int(part) for part in version.split("."))


def at_least(version: str, needed: str | None) -> bool:
    """Whether `version` has what came with `needed`; None came with no version in particular."""
    return needed is None or number(version) >= number(needed)
