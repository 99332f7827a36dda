"""The line that Nagios and its kin read first. Also what could not be checked begins with it, so it needs
nothing that checks need.

Source: Monitoring Plugins Development Guidelines, "Plugin Output for Nagios".
"""

from __future__ import annotations

from launcher.plain_text import plain

__all__ = ["line"]


def line(status: str, text: str) -> str:
    """`status` is OK, WARNING, CRITICAL or UNKNOWN. Without performance data, which a bar would begin."""
    return f"MINIAPP {status} - {plain(text).replace('|', '/')}"
