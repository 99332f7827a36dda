"""Where a command works: on one of Telegram's servers, a sandbox of another process, or one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from launcher.sandbox import Sandbox
    from launcher.sandbox.ready_file import ReadyFile
    from launcher.settings import Settings

__all__ = ["placed"]


@asynccontextmanager
async def placed(
    settings: Settings, *, pages: bool = True
) -> AsyncIterator[tuple[Sandbox | None, ReadyFile | None]]:
    """The sandbox of this run with its surroundings, if it is in this process, and what its ready file
    says; nothing for Telegram's own servers, nor for who needs no `pages`: a launcher has a bare sandbox of
    its own."""
    from launcher.sandbox import Sandbox, ready_file
    from launcher.sandbox.program import surroundings
    from launcher.servers import ServerName

    if not pages:
        yield None, None
    elif settings.server == "sandbox":
        async with Sandbox() as sandbox, surroundings(sandbox) as ready:
            yield sandbox, ready
    elif settings.server in get_args(ServerName):
        yield None, None
    else:
        yield None, ready_file.read(Path(settings.server))
