"""`miniapp --help` beside the `--help` of the smallest Typer program, from start to end of the process.

Both are run as modules: what a console script would add is the same for both.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tests.bench import two_commands
from tests.bench.measuring import Sizes, compare
from tests.bench.sandbox_process import ROOT

__all__ = ["command_line"]

HEAVY = ("cryptg", "cryptography", "httpx", "pydantic", "pydantic_settings", "rich", "telethon")
"""What the program works with, and help should not wait for. Typer itself brings rich for its help."""


async def command_line(sizes: Sizes) -> dict[str, Any]:
    """Milliseconds of both, ours ÷ Typer's, and which heavy packages our help has imported."""

    async def ours() -> None:
        await _run("-m", "launcher", "--help")

    async def theirs() -> None:
        await _run("-m", two_commands.__name__, "--help")

    heavy, brought_by_typer = await _heavy("launcher"), await _heavy(two_commands.__name__)
    return {
        **await compare(ours, theirs, rounds=sizes.starts),
        "heavy_imports": [name for name in heavy if name not in brought_by_typer],
        "heavy_imports_of_typer": brought_by_typer,
    }


async def _heavy(module: str) -> list[str]:
    """Which heavy packages are loaded when a module has shown its help."""
    imported = await _run("-X", "importtime", "-m", module, "--help")
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines()}
    return [name for name in HEAVY if name in names]


async def _run(*arguments: str) -> str:
    """Run Python; returns what it wrote to its standard error. Raises when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {told.decode()}")
    return told.decode()
