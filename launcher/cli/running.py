"""Running a command's coroutine as the whole of this process."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any, Never, TypeVar

__all__ = ["run"]

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; Ctrl-C raises KeyboardInterrupt at once, also while a line is being typed.

    asyncio's own handler of Ctrl-C cancels the task and lets a blocking read go on. Telethon's log is for
    programs: here every failure is told once, by an exception.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        return asyncio.run(coroutine)
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(*_: object) -> Never:
    raise KeyboardInterrupt
